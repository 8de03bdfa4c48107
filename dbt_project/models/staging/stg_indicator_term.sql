select
    indicator_code,
    part,
    term_number,
    coefficient,
    coalesce(status, '') as term_letters,
    measure,
    coalesce(population_basis, '*') as population_basis,
    coalesce(population_source, '*') as population_source,
    coalesce(residence, '*') as residence,
    coalesce(sex, '*') as sex,
    coalesce(age_group, '*') as age_group,
    coalesce({{ quoted('group') }}, '*') as group_code,
    coalesce(item, '*') as item,
    coalesce(out_residence, '*') as out_residence,
    coalesce(out_sex, '*') as out_sex,
    coalesce(out_age_group, '*') as out_age_group,
    coalesce(out_group, '*') as out_group
from {{ source('source', 'indicator_term') }}
