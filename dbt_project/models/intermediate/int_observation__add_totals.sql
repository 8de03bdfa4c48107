-- The chosen observations, and the totals that can be summed exactly from their parts where none was reported:
-- both sexes, and urban, rural and unattributed. A reported total stands, also one that is reported as missing.
-- Rates (aggregation `none`) are never summed.
{% set figure %}
    region_code, measure, period_start, period_end, population_basis, age_group, group_code, item
{% endset %}

with chosen as (
    select
        observation.region_code,
        {% for column in series_dimensions() %}
        observation.{{ column }},
        {% endfor %}
        ranked.series_key,
        observation.year,
        observation.value,
        observation.obs_status,
        observation.provenance,
        'reported' as derivation,
        ranked.extract_rank,
        observation.observation_id,
        coalesce(measure.aggregation, 'none') as aggregation,
        coalesce(measure.population_source, 'none') as population_source,
        coalesce(measure.is_population, false) as is_population
    from {{ ref('int_observation__rank_vintages') }} as ranked
    inner join {{ ref('stg_observation') }} as observation
        on observation.observation_id = ranked.observation_id
    left join {{ ref('stg_measure') }} as measure
        on measure.measure = observation.measure
    where ranked.is_chosen
),

both_sexes as (
    select
        {{ figure }},
        residence,
        max(year) as year,
        {{ exact_sum('value') }} as value,
        {{ status_of_rows('obs_status') }} as letters,
        {{ provenance_of_rows('provenance') }} as provenance,
        max(extract_rank) as extract_rank,
        max(aggregation) as aggregation,
        max(population_source) as population_source,
        max(case when is_population then 1 else 0 end) = 1 as is_population
    from chosen
    where aggregation <> 'none'
    group by {{ figure }}, residence
    having
        count(case when sex = 'all' then 1 end) = 0
        and count(case when sex = 'male' then value end) = 1
        and count(case when sex = 'female' then value end) = 1
),

with_sexes as (
    select
        {{ figure }},
        residence, sex, year, value, obs_status, provenance, extract_rank, aggregation, population_source, is_population
    from chosen
    where aggregation <> 'none'

    union all

    select
        {{ figure }},
        residence, 'all', year, value, {{ ranked_status('letters', 'value') }}, provenance, extract_rank, aggregation,
        population_source, is_population
    from both_sexes
),

-- A source that sets some of a figure apart as unattributed does so everywhere: a part that one region lacks is then
-- a gap, and urban and rural alone are no total.
expected_parts as (
    select
        measure, period_start, period_end, population_basis,
        count(distinct residence) as parts
    from with_sexes
    where residence <> 'total'
    group by measure, period_start, period_end, population_basis
),

all_residences as (
    select
        {{ figure }},
        sex,
        max(year) as year,
        {{ exact_sum('value') }} as value,
        {{ status_of_rows('obs_status') }} as letters,
        {{ provenance_of_rows('provenance') }} as provenance,
        max(extract_rank) as extract_rank,
        max(aggregation) as aggregation,
        max(population_source) as population_source,
        max(case when is_population then 1 else 0 end) = 1 as is_population,
        count(value) as found
    from with_sexes
    group by {{ figure }}, sex
    having
        count(case when residence = 'total' then 1 end) = 0
        and count(case when residence = 'urban' then value end) = 1
        and count(case when residence = 'rural' then value end) = 1
),

totals as (
    select
        {{ figure }},
        residence, 'all' as sex, year, value, letters, provenance, extract_rank, aggregation, population_source,
        is_population
    from both_sexes

    union all

    select
        {% for column in ['region_code', 'measure', 'period_start', 'period_end', 'population_basis', 'age_group',
                          'group_code', 'item'] %}
        summed.{{ column }},
        {% endfor %}
        'total', summed.sex, summed.year, summed.value, summed.letters, summed.provenance, summed.extract_rank,
        summed.aggregation, summed.population_source, summed.is_population
    from all_residences as summed
    inner join expected_parts as expected
        on expected.measure = summed.measure
        and expected.period_start = summed.period_start
        and expected.period_end = summed.period_end
        and expected.population_basis = summed.population_basis
        and expected.parts = summed.found
)

select * from chosen

union all

select
    region_code,
    {% for column in series_dimensions() %}
    {{ column }},
    {% endfor %}
    {{ series_key() }} as series_key,
    year,
    value,
    {{ ranked_status('letters', 'value') }} as obs_status,
    provenance,
    'summed' as derivation,
    extract_rank,
    cast(null as {{ dbt.type_string() }}) as observation_id,
    aggregation,
    population_source,
    is_population
from totals
