select c.customer_id, c.name
from customers c
where not exists (
    select from orders o where o.customer_id = c.customer_id
)
order by c.name, c.customer_id;
