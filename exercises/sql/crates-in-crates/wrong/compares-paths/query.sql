with recursive stored as (
    select crate_id, objects, 0 as depth, array[crate_id] as path
    from crates
    where inside is null
    union all
    select c.crate_id, c.objects, s.depth + 1, s.path || c.crate_id
    from stored s
    join crates c on c.inside = s.crate_id
),
lost as (
    select c.crate_id
    from crates c
    where c.inside is not null
      and not exists (select from crates around where around.crate_id = c.inside)
    union all
    select c.crate_id from lost l join crates c on c.inside = l.crate_id
)
select c.crate_id,
       case when s.crate_id is not null then 'stored' when l.crate_id is not null then 'lost' else 'loop' end as state,
       s.depth,
       s.path,
       case when s.crate_id is not null then
           (select sum(d.objects) from stored d where c.crate_id = any (d.path))
       end as total
from crates c
left join stored s using (crate_id)
left join lost l using (crate_id)
order by c.crate_id;
