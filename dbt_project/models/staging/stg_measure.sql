select
    measure,
    name_zh,
    name_en,
    unit,
    kind,
    aggregation,
    coalesce(population_source, 'none') as population_source,
    coalesce(is_population, false) as is_population
from {{ source('source', 'measure') }}
