with days as (
    select s.station_id, s.zone, ((r.ended_at - interval '30 minutes') at time zone s.zone)::date as day,
           sum(r.mm) as mm, count(*) as readings
    from readings r
    join stations s using (station_id)
    group by 1, 2, 3
),
measured as (
    select *,
           extract(epoch from (day + 1) at time zone zone - day at time zone zone)::int / 1800 as expected
    from days
)
select station_id, day, mm, readings, expected, readings = expected as complete
from measured
order by station_id, day;
