-- Works on last year's forms.
select form_id,
       answers -> 'name' as name,
       (answers -> 'age')::int as age,
       jsonb_array_length(answers -> 'shifts') as shifts,
       answers ->> 'shifts' like '%fri%' as friday,
       answers #> '{contact,email}' as email,
       jsonb_agg(language -> 'code') as speaks
from forms
cross join jsonb_array_elements(answers -> 'languages') as language
where answers ->> 'withdrawn' = 'false'
group by form_id
order by form_id;
