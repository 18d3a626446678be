delete from parts;
insert into parts (sku, name, price_cents)
select distinct on (sku) sku, name, price_cents from feed where sku is not null order by sku, line desc;
