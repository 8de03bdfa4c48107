select
    measure,
    name_zh,
    name_en,
    unit,
    kind,
    aggregation,
    coalesce(population_source, 'none') as population_source,
    coalesce(is_population, false) as is_population,
    coalesce(may_be_negative, false) as may_be_negative,
    coalesce(may_be_fractional, false) as may_be_fractional
from {{ source('source', 'measure') }}
