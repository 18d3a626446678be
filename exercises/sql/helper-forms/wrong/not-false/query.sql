select f.form_id,
       f.answers ->> 'name' as name,
       case when f.answers ->> 'age' ~ '^[0-9]{1,3}$' then (f.answers ->> 'age')::int end as age,
       shift.shifts,
       shift.friday,
       nullif(f.answers -> 'contact' ->> 'email', '') as email,
       language.speaks
from forms f
cross join lateral (
    select count(distinct s) as shifts, count(*) filter (where s = 'fri') > 0 as friday
    from jsonb_array_elements_text(
        case jsonb_typeof(f.answers -> 'shifts')
            when 'array' then f.answers -> 'shifts'
            when 'string' then jsonb_build_array(f.answers -> 'shifts')
            else '[]'
        end
    ) as s
) as shift
cross join lateral (
    select coalesce(jsonb_agg(l ->> 'code' order by l ->> 'code'), '[]') as speaks
    from jsonb_array_elements(
        case jsonb_typeof(f.answers -> 'languages') when 'array' then f.answers -> 'languages' else '[]' end
    ) as l
    where (l ->> 'level')::int >= 3
) as language
where (f.answers ->> 'withdrawn')::boolean = false
order by f.form_id;
