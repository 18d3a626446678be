create table customers (
    customer_id  int primary key,
    name         text not null
);
create table orders (
    order_id     int primary key,
    customer_id  int references customers
);
