create table customers (
    customer_id int primary key,
    email       text not null,
    name        text not null,
    created_at  timestamptz not null
);
create table orders (
    order_id    int primary key,
    customer_id int not null references customers on delete cascade,
    total_cents int not null check (total_cents >= 0)
);
create table subscriptions (
    customer_id int not null references customers on delete cascade,
    topic       text not null,
    since       date not null,
    primary key (customer_id, topic)
);
