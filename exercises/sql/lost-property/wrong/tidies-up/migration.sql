drop index finds_station;
drop index finds_state;
delete from finds where state <> 'held';
create index finds_shelf on finds (station_id, found_at, find_id) where state = 'held';
create index finds_label on finds (label text_pattern_ops);
create index finds_category on finds (category, found_at);
