-- What we did last time.
alter table permits add column token uuid not null default gen_random_uuid() unique;
