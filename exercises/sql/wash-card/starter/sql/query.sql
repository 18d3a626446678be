-- What the statement shows today.
select e.card_id,
       e.entry_id,
       e.kind,
       e.amount,
       c.opening + sum(e.amount) over (order by e.booked_at) as balance,
       count(*) over (order by e.booked_at) as washes
from cards c
join entries e using (card_id)
order by e.card_id, e.booked_at;
