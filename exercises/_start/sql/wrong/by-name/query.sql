select customer_id, name
from customers
where name not in (select c.name from customers c join orders o using (customer_id))
order by name, customer_id;
