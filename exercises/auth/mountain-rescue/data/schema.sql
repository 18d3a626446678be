create table volunteers (
    id bigint generated always as identity primary key,
    email text not null unique check (email = lower(email)),
    password_hash text not null
);

create table sessions (
    token_hash text primary key,
    volunteer_id bigint not null references volunteers
);

create table resets (
    id bigint generated always as identity primary key,
    volunteer_id bigint not null references volunteers,
    token_hash text not null unique,
    requested_at timestamptz not null default now(),
    used_at timestamptz
);

create index on resets (volunteer_id, requested_at);
