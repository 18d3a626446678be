-- Who goes where. Deleted accounts are gone from customers, so a second run adds nothing.
create table if not exists merged_customers (
    old_customer_id int primary key,
    customer_id     int not null references customers
);

insert into merged_customers (old_customer_id, customer_id)
select customer_id, survivor_id
from (
    select customer_id,
           first_value(customer_id) over (
               partition by lower(btrim(email)) order by created_at, customer_id
           ) as survivor_id
    from customers
) as person
where customer_id <> survivor_id;

-- What hangs on an account moves before the account goes: the cascade would take it along.
update orders o
set customer_id = m.customer_id
from merged_customers m
where o.customer_id = m.old_customer_id;

-- Added up over the accounts that go, then laid over what the survivor has.
insert into subscriptions as kept (customer_id, topic, since)
select m.customer_id, s.topic, min(s.since)
from subscriptions s
join merged_customers m on m.old_customer_id = s.customer_id
group by m.customer_id, s.topic
on conflict (customer_id, topic) do update
set since = least(kept.since, excluded.since);

delete from customers c
using merged_customers m
where c.customer_id = m.old_customer_id;

-- Guards R6 and answers the query of R7: the expression is the one that the query uses.
create unique index if not exists customers_person on customers (lower(btrim(email)));

drop table merged_customers;
