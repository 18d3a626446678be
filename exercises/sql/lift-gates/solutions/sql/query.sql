with day as (
    -- The bounds as points in time, so that the column stands alone in the comparison. Midnight to midnight: 23 hours.
    select timestamp '2024-03-31' at time zone 'Europe/Vienna' as begins,
           timestamp '2024-04-01' at time zone 'Europe/Vienna' as ends
),
ridden as (                                 -- one look at the day, one row per pass
    select s.pass_id,
           count(*) as rides,
           (array_agg(s.lift order by s.scanned_at, s.scan_id))[1] as first_lift
    from scans s
    where s.scanned_at >= (select begins from day)
      and s.scanned_at < (select ends from day)
      and s.opened
    group by s.pass_id
)
select p.pass_id, p.holder, r.rides, r.first_lift, earlier.scanned_at as last_before
from ridden r
join passes p using (pass_id)
left join lateral (                         -- backwards from the day, and stop at the first ride
    select s.scanned_at
    from scans s
    where s.pass_id = r.pass_id
      and s.scanned_at < (select begins from day)
      and s.opened
    order by s.scanned_at desc
    limit 1
) as earlier on true
order by r.rides desc, p.pass_id;
