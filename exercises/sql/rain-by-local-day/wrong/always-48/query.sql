select s.station_id,
       ((r.ended_at - interval '30 minutes') at time zone s.zone)::date as day,
       sum(r.mm) as mm,
       count(*) as readings,
       48 as expected,
       count(*) = 48 as complete
from readings r
join stations s using (station_id)
group by 1, 2
order by 1, 2;
