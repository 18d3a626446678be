set lock_timeout = '4s';

alter table permits add column if not exists token uuid not null default gen_random_uuid();

set lock_timeout = 0;
drop index concurrently if exists permits_token_built;
create unique index concurrently permits_token_built on permits (token);

set lock_timeout = '4s';
alter table permits
    drop constraint if exists permits_token_key,
    add constraint permits_token_key unique using index permits_token_built;
