create table permits (
    permit_id   int generated always as identity primary key,
    plate       text not null,
    district    int not null,
    issued_at   timestamptz not null default now()
);
