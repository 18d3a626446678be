drop index finds_station;
drop index finds_state;
create index finds_shelf on finds (station_id, state, found_at, find_id) include (label);
create index finds_label on finds (label text_pattern_ops) include (find_id, station_id);
create index finds_category on finds (category, found_at) include (find_id, station_id);
