select e.card_id, e.entry_id, e.kind, e.amount,
       c.opening + sum(e.amount) over so_far as balance,
       count(*) filter (where e.kind = 'wash') over so_far as washes
from cards c
join entries e using (card_id)
window so_far as (partition by e.card_id order by e.booked_at)
order by e.card_id, e.booked_at, e.entry_id;
