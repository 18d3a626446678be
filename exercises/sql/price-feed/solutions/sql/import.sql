insert into parts as p (sku, name, price_cents)
select distinct on (sku) sku, name, price_cents     -- one row per part: no part may be touched twice
from feed
where sku is not null
order by sku, line desc                             -- and all imports take their locks in one order
on conflict (sku) do update
set name = excluded.name,
    price_cents = excluded.price_cents,
    withdrawn = false,
    revision = p.revision + 1
where (p.name, p.price_cents, p.withdrawn) is distinct from (excluded.name, excluded.price_cents, false);

update parts p
set withdrawn = true,
    revision = p.revision + 1
where not p.withdrawn
  and not exists (select from feed f where f.sku = p.sku)
  and exists (select from feed f where f.sku is not null);
