create table stations (
    station_id  int primary key,
    name        text not null,
    zone        text not null
);
create table readings (
    station_id  int not null references stations,
    ended_at    timestamptz not null,
    mm          numeric(5, 1) not null,
    primary key (station_id, ended_at)
);
