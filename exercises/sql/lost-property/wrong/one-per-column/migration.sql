create index finds_category on finds (category);
create index finds_found_at on finds (found_at);
create index finds_label on finds (label);
