set lock_timeout = '4s';

alter table permits add column if not exists token uuid;

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

alter table permits alter column token set default gen_random_uuid();
alter table permits drop constraint if exists permits_token_given;
alter table permits add constraint permits_token_given check (token is not null) not valid;
alter table permits validate constraint permits_token_given;
alter table permits alter column token set not null;
alter table permits drop constraint permits_token_given;

set lock_timeout = 0;
drop index concurrently if exists permits_token_built;
create unique index concurrently permits_token_built on permits (token);

set lock_timeout = '4s';
alter table permits
    drop constraint if exists permits_token_key,
    add constraint permits_token_key unique using index permits_token_built;
