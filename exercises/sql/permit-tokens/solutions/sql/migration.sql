-- Whoever waits for a strong lock holds up everybody behind it: give up soon, and come again.
set lock_timeout = '4s';

-- Expand. Without a default of its own the new column is a change of the catalogue alone, and the default that follows
-- is for new rows only: from here on whatever the meters insert has a token.
alter table permits add column if not exists token uuid;
alter table permits alter column token set default gen_random_uuid();

-- Fill, in portions: the rows of one are locked until it is committed.
update permits set token = gen_random_uuid()
where permit_id in (select permit_id from permits where token is null order by permit_id limit 1000);
update permits set token = gen_random_uuid()
where permit_id in (select permit_id from permits where token is null order by permit_id limit 1000);
update permits set token = gen_random_uuid()
where permit_id in (select permit_id from permits where token is null order by permit_id limit 1000);
update permits set token = gen_random_uuid()
where permit_id in (select permit_id from permits where token is null order by permit_id limit 1000);
update permits set token = gen_random_uuid()
where permit_id in (select permit_id from permits where token is null order by permit_id limit 1000);

-- Not null. The constraint holds for new rows at once; looking at the old ones takes a lock that nobody waits for.
-- With a valid constraint that says the same, set not null does not look at the rows again.
alter table permits drop constraint if exists permits_token_given;
alter table permits add constraint permits_token_given check (token is not null) not valid;
alter table permits validate constraint permits_token_given;
alter table permits alter column token set not null;
alter table permits drop constraint permits_token_given;

-- Unique. A build that was cut off leaves an invalid index, which `if not exists` would take for the real one.
-- The build waits for transactions that began before it, and holds nobody up meanwhile: it may be patient.
set lock_timeout = 0;
drop index concurrently if exists permits_token_built;
create unique index concurrently permits_token_built on permits (token);

-- The index becomes the constraint's, and takes its name; one of an earlier run goes.
set lock_timeout = '4s';
alter table permits
    drop constraint if exists permits_token_key,
    add constraint permits_token_key unique using index permits_token_built;
