select distinct c.customer_id, c.name
from customers c
left join orders o using (customer_id)
order by c.name, c.customer_id;
