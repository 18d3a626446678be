create table cards (
    card_id     int primary key,
    holder      text not null,
    opening     numeric(8, 2) not null
);
create table entries (
    entry_id    int primary key,
    card_id     int not null references cards,
    booked_at   timestamptz not null,
    kind        text not null check (kind in ('top-up', 'wash', 'dry', 'refund')),
    amount      numeric(8, 2) not null
);
