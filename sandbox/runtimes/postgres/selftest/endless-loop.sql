with recursive r(n) as (select 1 union all select n from r) select count(*) from r
