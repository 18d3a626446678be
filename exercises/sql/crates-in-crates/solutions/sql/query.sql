with recursive stored as (                 -- from the floor inwards: each crate is reached once or never
    select crate_id, objects, 0 as depth, array[crate_id] as path
    from crates
    where inside is null
    union all
    select c.crate_id, c.objects, s.depth + 1, s.path || c.crate_id
    from stored s
    join crates c on c.inside = s.crate_id
),
lost as (                                  -- the same from the crates whose place is not on the list
    select c.crate_id
    from crates c
    where c.inside is not null
      and not exists (select from crates around where around.crate_id = c.inside)
    union all
    select c.crate_id
    from lost l
    join crates c on c.inside = l.crate_id
),
totals as (                                -- a crate's objects count for every crate on its path
    select holder as crate_id, sum(objects) as total
    from stored
    cross join unnest(path) as holder
    group by holder
)
select c.crate_id,
       case
           when s.crate_id is not null then 'stored'
           when l.crate_id is not null then 'lost'
           else 'loop'                     -- reached from neither side
       end as state,
       s.depth,
       s.path,
       t.total
from crates c
left join stored s using (crate_id)
left join lost l using (crate_id)
left join totals t using (crate_id)
order by c.crate_id;
