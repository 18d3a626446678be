with washed as (
    select entry_id, card_id, sum(amount) over so_far as spent, count(*) over so_far as washes
    from entries
    where kind = 'wash'
    window so_far as (partition by card_id order by booked_at, entry_id)
)
select e.card_id, e.entry_id, e.kind, e.amount,
       c.opening + coalesce(w.spent, 0) as balance,
       coalesce(w.washes, 0) as washes
from cards c
join entries e using (card_id)
left join washed w using (entry_id)
order by e.card_id, e.booked_at, e.entry_id;
