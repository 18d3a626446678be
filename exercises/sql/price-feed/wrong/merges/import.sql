merge into parts p
using (
    select distinct on (sku) sku, name, price_cents from feed where sku is not null order by sku, line desc
) l on l.sku = p.sku
when matched and (p.name, p.price_cents, p.withdrawn) is distinct from (l.name, l.price_cents, false) then
    update set name = l.name, price_cents = l.price_cents, withdrawn = false, revision = p.revision + 1
when not matched then
    insert (sku, name, price_cents) values (l.sku, l.name, l.price_cents);

update parts p
set withdrawn = true, revision = p.revision + 1
where not p.withdrawn
  and not exists (select from feed f where f.sku = p.sku)
  and exists (select from feed f where f.sku is not null);
