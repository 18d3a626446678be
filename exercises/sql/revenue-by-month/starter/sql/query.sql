-- What the finance page runs today.
select date_trunc('month', i.issued_at)::date as month,
       p.plan_id,
       p.name as plan,
       count(*) as payments,
       sum(i.amount_cents - r.amount_cents) as net_cents
from plans p
join invoices i using (plan_id)
left join refunds r using (invoice_id)
group by 1, 2, 3
order by 1, 2;
