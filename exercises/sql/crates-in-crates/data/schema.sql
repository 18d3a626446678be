create table crates (
    crate_id    int primary key,
    label       text not null,
    inside      int,
    objects     int not null check (objects >= 0)
);
