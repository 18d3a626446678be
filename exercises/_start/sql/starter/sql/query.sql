select customer_id, name
from customers;
