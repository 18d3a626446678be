with days as (
    select distinct s.station_id, s.zone, (r.ended_at at time zone 'UTC')::date + shift as day
    from readings r
    join stations s using (station_id)
    cross join (values (-1), (0), (1)) as nearby (shift)
),
measured as (
    select station_id,
           day,
           day::timestamp at time zone zone as begins,
           (day + 1)::timestamp at time zone zone as ends
    from days
)
select station_id,
       day,
       sum(r.mm) as mm,
       count(*) as readings,
       extract(epoch from ends - begins)::int / 1800 as expected,
       count(*) = extract(epoch from ends - begins)::int / 1800 as complete
from measured
join readings r using (station_id)
where r.ended_at - interval '30 minutes' >= begins
  and r.ended_at - interval '30 minutes' < ends
group by station_id, day, begins, ends
order by station_id, day;
