set lock_timeout = '4s';

alter table permits add column if not exists token uuid;
alter table permits alter column token set default gen_random_uuid();

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

alter table permits alter column token set not null;

set lock_timeout = 0;
drop index concurrently if exists permits_token_built;
create unique index concurrently permits_token_built on permits (token);

set lock_timeout = '4s';
alter table permits
    drop constraint if exists permits_token_key,
    add constraint permits_token_key unique using index permits_token_built;
