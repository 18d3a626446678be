-- Neither is of use to any of the queries once the three below are there; each costs a write per find.
drop index finds_station;
drop index finds_state;

-- A: only the few finds that are held, per station in the order of the shelf.
create index finds_shelf on finds (station_id, found_at, find_id) where state = 'held';

-- B: in a linguistic collation the labels that begin alike need not be neighbours. Byte by byte they are.
create index finds_label on finds (label text_pattern_ops);

-- C: the column with the equality first, then the one with the range.
create index finds_category on finds (category, found_at);
