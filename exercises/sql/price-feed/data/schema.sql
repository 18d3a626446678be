create table feed (
    line        int primary key,
    sku         text,
    name        text not null,
    price_cents int not null
);
create table parts (
    part_id     int generated always as identity primary key,
    sku         text not null unique,
    name        text not null,
    price_cents int not null check (price_cents > 0),
    withdrawn   boolean not null default false,
    revision    int not null default 1
);
