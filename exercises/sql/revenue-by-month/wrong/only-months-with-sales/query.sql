with refunded as (
    select invoice_id, sum(amount_cents) as cents from refunds group by invoice_id
)
select date_trunc('month', i.paid_at at time zone 'Europe/Helsinki')::date as month,
       p.plan_id, p.name as plan, count(*) as payments,
       sum(i.amount_cents - coalesce(r.cents, 0)) as net_cents
from plans p
join invoices i using (plan_id)
left join refunded r using (invoice_id)
where extract(year from i.paid_at at time zone 'Europe/Helsinki') = 2024
group by 1, 2, 3
order by 1, 2;
