-- Rates of the indicators that name a standard population, standardised over its ages: one row for all ages in the
-- place of the crude rate. An age that nobody reports would make it another rate: then there is none.
{% set cell = ['indicator_code', 'reference_geography', 'year', 'year_start', 'population_basis', 'population_source',
               'residence', 'sex', 'age_group', 'group_code'] %}

with combined as (
    select * from {{ ref('int_indicator__combine_terms') }}
),

-- (a quotient by a window of decimals lost its type in DuckDB 2.0 where this was read twice: so the whole is joined)
wholes as (
    select standard_population, sum(weight) as weight, count(*) as bands
    from {{ source('source', 'standard_population') }}
    group by standard_population
),

standards as (
    select
        standard.standard_population,
        standard.age_group,
        {{ divide('standard.weight', 'wholes.weight') }} as share,
        wholes.bands
    from {{ source('source', 'standard_population') }} as standard
    inner join wholes
        on wholes.standard_population = standard.standard_population
),

bands as (
    select
        combined.*,
        standards.standard_population,
        standards.share,
        standards.bands,
        sum(combined.denominator) over (
            partition by
                combined.region_code
                {% for column in cell if column != 'age_group' %}
                , combined.{{ column }}
                {% endfor %}
        ) as everybody
    from combined
    inner join {{ source('source', 'indicator') }} as indicator
        on indicator.indicator_code = combined.indicator_code
    inner join standards
        on standards.standard_population = indicator.standard_population
        and standards.age_group = combined.age_group
    where combined.is_pair
)

select
    region_code,
    {% for column in cell if column != 'age_group' %}
    {{ column }},
    {% endfor %}
    'all' as age_group,
    max(period_end) as period_end,
    max(as_of_date) as as_of_date,
    max(standard_population) as standard_population,
    {{ exact_sum('numerator') }} as events,
    {{ exact_sum('denominator') }} as people,
    {{ standardised_rate('share', 'numerator', 'denominator') }} as rate,
    {{ standardised_variance('share', 'numerator', 'denominator', 'everybody') }} as variance,
    {{ status_of_rows('letters') }} as letters,
    {{ provenance_of_rows('provenance') }} as provenance,
    {{ derivation_of_rows('derivation') }} as derivation,
    {{ any_true('is_partial_year') }} as is_partial_year,
    max(population_date) as population_date
from bands
group by
    {% for column in cell if column != 'age_group' %}
    {{ column }},
    {% endfor %}
    region_code
-- an age that nobody reports makes it another rate
having count(*) = max(bands)
