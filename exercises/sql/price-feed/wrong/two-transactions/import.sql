begin;
update parts p
set withdrawn = true, revision = p.revision + 1
where not p.withdrawn
  and not exists (select from feed f where f.sku = p.sku)
  and exists (select from feed f where f.sku is not null);
commit;

begin;
insert into parts as p (sku, name, price_cents)
select distinct on (sku) sku, name, price_cents from feed where sku is not null order by sku, line desc
on conflict (sku) do update
set name = excluded.name, price_cents = excluded.price_cents, withdrawn = false, revision = p.revision + 1
where (p.name, p.price_cents, p.withdrawn) is distinct from (excluded.name, excluded.price_cents, false);
commit;
