-- What a population is: the number of the series that was chosen for it.
select
    'population' as figure_kind, {{ population_id('population', 'period_end', 'population.sex', 'population.age_group') }} as figure_id,
    'value' as role,
    'value' as input_kind,
    {{ value_id('population.series_number', 'population.region_code') }} as input_id,
    1e0 as weight
from {{ ref('int_population__choose') }} as population

order by figure_kind, figure_id, role, input_kind, input_id
