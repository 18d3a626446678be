with recursive walk as (
    select crate_id, objects, inside, array[crate_id] as path
    from crates
    union all
    select w.crate_id, w.objects, c.inside, c.crate_id || w.path
    from walk w
    join crates c on c.crate_id = w.inside
),
stored as (
    select * from walk where inside is null
),
totals as (
    select holder as crate_id, sum(objects) as total from stored cross join unnest(path) as holder group by holder
)
select c.crate_id,
       case when s.crate_id is not null then 'stored' else 'lost' end as state,
       cardinality(s.path) - 1 as depth,
       s.path,
       t.total
from crates c
left join stored s using (crate_id)
left join totals t using (crate_id)
order by c.crate_id;
