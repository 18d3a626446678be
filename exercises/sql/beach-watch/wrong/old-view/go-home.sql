begin isolation level repeatable read;

select from beaches b
where b.beach_id = (select g.beach_id from guards g where g.guard_id = current_setting('app.user_id')::int)
for no key update;

with gone as (
    update guards g
    set on_duty = false
    where g.guard_id = current_setting('app.user_id')::int
      and g.on_duty
      and (select count(*)
           from guards o
           where o.beach_id = g.beach_id and o.on_duty and o.guard_id <> g.guard_id)
          >= (select b.minimum from beaches b where b.beach_id = g.beach_id)
    returning g.guard_id
)
insert into requests (guard_id, granted)
select guard_id, exists (select from gone)
from guards
where guard_id = current_setting('app.user_id')::int;

commit;
