create table finds (
    find_id     int primary key,
    station_id  int not null,
    category    text not null,
    state       text not null check (state in ('held', 'returned', 'sold')),
    found_at    timestamptz not null,
    label       text collate "und-x-icu" not null
);
create index finds_station on finds (station_id);
create index finds_state on finds (state);
