with chains as (
    select c.crate_id, c.objects, c.inside as one, d.inside as two, e.inside as three, f.inside as four,
           c.inside is not null and d.crate_id is null
               or d.inside is not null and e.crate_id is null
               or e.inside is not null and f.crate_id is null as lost,
           f.inside is not null as loop
    from crates c
    left join crates d on d.crate_id = c.inside
    left join crates e on e.crate_id = d.inside
    left join crates f on f.crate_id = e.inside
),
stored as (
    select crate_id, objects, array_remove(array[four, three, two, one, crate_id], null) as path
    from chains
    where not lost and not loop
),
totals as (
    select holder as crate_id, sum(objects) as total from stored cross join unnest(path) as holder group by holder
)
select c.crate_id,
       case when c.lost then 'lost' when c.loop then 'loop' else 'stored' end as state,
       cardinality(s.path) - 1 as depth,
       s.path,
       t.total
from chains c
left join stored s using (crate_id)
left join totals t using (crate_id)
order by c.crate_id;
