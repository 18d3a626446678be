with months as (
    select make_date(2024, m, 1) as month from generate_series(1, 12) as m
),
refunded as (
    select invoice_id, sum(amount_cents) as cents from refunds group by invoice_id
),
paid as (
    select date_trunc('month', i.paid_at)::date as month, i.plan_id,
           count(*) as payments, sum(i.amount_cents - coalesce(r.cents, 0)) as net_cents
    from invoices i left join refunded r using (invoice_id)
    where i.paid_at is not null
    group by 1, 2
)
select m.month, p.plan_id, p.name as plan, coalesce(s.payments, 0) as payments, coalesce(s.net_cents, 0) as net_cents
from months m cross join plans p left join paid s using (month, plan_id)
order by m.month, p.plan_id;
