drop index finds_station;
drop index finds_state;
create index finds_shelf on finds (station_id, found_at, find_id) where state = 'held';
alter table finds alter column label type text collate "C";
create index finds_label on finds (label);
create index finds_category on finds (category, found_at);
