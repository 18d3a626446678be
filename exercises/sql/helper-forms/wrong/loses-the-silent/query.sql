select f.form_id,
       f.answers ->> 'name' as name,
       case when f.answers ->> 'age' ~ '^[0-9]{1,3}$' then (f.answers ->> 'age')::int end as age,
       count(distinct s) as shifts,
       bool_or(s = 'fri') as friday,
       nullif(f.answers -> 'contact' ->> 'email', '') as email,
       coalesce(
           jsonb_agg(distinct l ->> 'code' order by l ->> 'code') filter (where (l ->> 'level')::int >= 3), '[]'
       ) as speaks
from forms f
cross join jsonb_array_elements_text(
    case jsonb_typeof(f.answers -> 'shifts')
        when 'array' then f.answers -> 'shifts'
        when 'string' then jsonb_build_array(f.answers -> 'shifts')
        else '[]'
    end
) as s
cross join jsonb_array_elements(
    case jsonb_typeof(f.answers -> 'languages') when 'array' then f.answers -> 'languages' else '[]' end
) as l
where not f.answers @> '{"withdrawn": true}'
group by f.form_id
order by f.form_id;
