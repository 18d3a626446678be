-- Simple: throw everything away and load the file.
delete from parts;

insert into parts (sku, name, price_cents)
select sku, name, price_cents
from feed;
