-- Right, and slow.
select p.pass_id,
       p.holder,
       (select count(*)
        from scans s
        where s.pass_id = p.pass_id
          and s.opened
          and to_char(s.scanned_at at time zone 'Europe/Vienna', 'YYYY-MM-DD') = '2024-03-31') as rides,
       (select s.lift
        from scans s
        where s.pass_id = p.pass_id
          and s.opened
          and to_char(s.scanned_at at time zone 'Europe/Vienna', 'YYYY-MM-DD') = '2024-03-31'
        order by s.scanned_at, s.scan_id
        limit 1) as first_lift,
       (select max(s.scanned_at)
        from scans s
        where s.pass_id = p.pass_id
          and s.opened
          and to_char(s.scanned_at at time zone 'Europe/Vienna', 'YYYY-MM-DD') < '2024-03-31') as last_before
from passes p
where p.pass_id in (
    select s.pass_id
    from scans s
    where s.opened
      and to_char(s.scanned_at at time zone 'Europe/Vienna', 'YYYY-MM-DD') = '2024-03-31'
)
order by rides desc, p.pass_id;
