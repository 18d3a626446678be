with last as (
    select distinct on (sku) sku, name, price_cents from feed where sku is not null order by sku, line desc
)
update parts p
set name = l.name, price_cents = l.price_cents, withdrawn = false, revision = p.revision + 1
from last l
where l.sku = p.sku
  and (p.name, p.price_cents, p.withdrawn) is distinct from (l.name, l.price_cents, false);

with last as (
    select distinct on (sku) sku, name, price_cents from feed where sku is not null order by sku, line desc
)
insert into parts (sku, name, price_cents)
select sku, name, price_cents
from last l
where not exists (select from parts p where p.sku = l.sku);

update parts p
set withdrawn = true, revision = p.revision + 1
where not p.withdrawn
  and not exists (select from feed f where f.sku = p.sku)
  and exists (select from feed f where f.sku is not null);
