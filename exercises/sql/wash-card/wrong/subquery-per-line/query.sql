select e.card_id, e.entry_id, e.kind, e.amount,
       c.opening + s.amount as balance,
       s.washes
from cards c
join entries e using (card_id)
cross join lateral (
    select sum(p.amount) as amount, count(*) filter (where p.kind = 'wash') as washes
    from entries p
    where p.card_id = e.card_id
      and (p.booked_at, p.entry_id) <= (e.booked_at, e.entry_id)
) s
order by e.card_id, e.booked_at, e.entry_id;
