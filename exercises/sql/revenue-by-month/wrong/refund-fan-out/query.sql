with months as (
    select make_date(2024, m, 1) as month from generate_series(1, 12) as m
),
paid as (
    select date_trunc('month', i.paid_at at time zone 'Europe/Helsinki')::date as month,
           i.plan_id,
           count(distinct i.invoice_id) as payments,
           sum(i.amount_cents) - coalesce(sum(r.amount_cents), 0) as net_cents
    from invoices i
    left join refunds r using (invoice_id)
    where i.paid_at is not null
    group by 1, 2
)
select m.month, p.plan_id, p.name as plan, coalesce(s.payments, 0) as payments, coalesce(s.net_cents, 0) as net_cents
from months m cross join plans p left join paid s using (month, plan_id)
order by m.month, p.plan_id;
