select customer_id, name
from customers
where customer_id not in (select customer_id from orders)
order by name, customer_id;
