create table beaches (
    beach_id    int primary key,
    name        text not null,
    minimum     int not null check (minimum >= 0)
);
create table guards (
    guard_id    int primary key,
    beach_id    int not null references beaches,
    name        text not null,
    on_duty     boolean not null
);
create index guards_by_beach on guards (beach_id);
create table requests (
    request_id  int generated always as identity primary key,
    guard_id    int not null references guards,
    granted     boolean not null
);
