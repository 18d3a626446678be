-- What the yearbook printed last time.
select station_id,
       ended_at::date as day,
       sum(mm) as mm,
       count(*) as readings,
       48 as expected,
       count(*) = 48 as complete
from readings
group by station_id, ended_at::date
order by station_id, day;
