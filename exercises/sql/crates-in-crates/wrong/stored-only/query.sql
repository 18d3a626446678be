with recursive stored as (
    select crate_id, objects, 0 as depth, array[crate_id] as path
    from crates
    where inside is null
    union all
    select c.crate_id, c.objects, s.depth + 1, s.path || c.crate_id
    from stored s
    join crates c on c.inside = s.crate_id
),
totals as (
    select holder as crate_id, sum(objects) as total from stored cross join unnest(path) as holder group by holder
)
select s.crate_id, 'stored' as state, s.depth, s.path, t.total
from stored s
join totals t using (crate_id)
order by s.crate_id;
