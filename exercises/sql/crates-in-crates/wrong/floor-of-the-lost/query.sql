with recursive stored as (
    select c.crate_id, c.objects, 0 as depth, array[c.crate_id] as path
    from crates c
    left join crates around on around.crate_id = c.inside
    where around.crate_id is null
    union all
    select c.crate_id, c.objects, s.depth + 1, s.path || c.crate_id
    from stored s
    join crates c on c.inside = s.crate_id
),
totals as (
    select holder as crate_id, sum(objects) as total from stored cross join unnest(path) as holder group by holder
)
select c.crate_id,
       case when s.crate_id is not null then 'stored' else 'loop' end as state,
       s.depth,
       s.path,
       t.total
from crates c
left join stored s using (crate_id)
left join totals t using (crate_id)
order by c.crate_id;
