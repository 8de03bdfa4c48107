-- What a population that figures are divided by is made of: the number of the series that was chosen for it, and that of others
-- where nobody reports it.
with series as (
    select * from {{ ref('int_observation__number_series') }}
)

select
    {{ key_text(['population.reference_geography', 'population.region_code', 'population.period_end',
                 'population.population_source', 'population.population_basis', 'population.residence']) }} as figure_id,
    'value' as role,
    'value' as input_kind,
    {{ value_id('population.series_number', 'population.region_code') }} as input_id,
    1e0 as weight
from {{ ref('int_population__choose') }} as population
where population.sex = 'all' and population.age_group = 'all'

union all

-- the middle of a year of the year ends around it
{% for end in ['first_number', 'second_number'] %}
select
    {{ value_id('derived.series_number', 'derived.region_code') }}, 'part', 'value',
    {{ value_id('series.' ~ end, 'derived.region_code') }}, 0.5e0
from {{ ref('int_population__derive') }} as derived
inner join series
    on series.series_number = derived.series_number
    and series.derived = 'mid_year'

union all

-- a year end between two counts of these, grown evenly
select
    {{ value_id('derived.series_number', 'derived.region_code') }}, '{{ 'earlier' if loop.first else 'later' }}', 'value',
    {{ value_id('series.' ~ end, 'derived.region_code') }}, cast(null as double)
from {{ ref('int_population__derive') }} as derived
inner join series
    on series.series_number = derived.series_number
    and series.derived = 'estimate'
{{ 'union all' if not loop.last }}
{% endfor %}
