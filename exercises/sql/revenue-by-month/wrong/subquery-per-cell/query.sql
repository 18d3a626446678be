with months as (
    select make_date(2024, m, 1) as month from generate_series(1, 12) as m
),
refunded as (
    select invoice_id, sum(amount_cents) as cents from refunds group by invoice_id
)
select m.month, p.plan_id, p.name as plan, s.payments, coalesce(s.net_cents, 0) as net_cents
from months m
cross join plans p
cross join lateral (
    select count(*) as payments, sum(i.amount_cents - coalesce(r.cents, 0)) as net_cents
    from invoices i
    left join refunded r using (invoice_id)
    where i.plan_id = p.plan_id
      and date_trunc('month', i.paid_at at time zone 'Europe/Helsinki') = m.month
) s
order by m.month, p.plan_id;
