-- Works for the crates that we have looked at so far.
select c.crate_id,
       'stored' as state,
       case when c.inside is null then 0 when b.inside is null then 1 else 2 end as depth,
       array_remove(array[a.crate_id, b.crate_id, c.crate_id], null) as path,
       c.objects as total
from crates c
left join crates b on b.crate_id = c.inside
left join crates a on a.crate_id = b.inside
order by c.crate_id;
