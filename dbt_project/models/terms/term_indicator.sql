-- What each figure of an indicator is computed from: the numbers of its numerator and denominator with their coefficients, of
-- each year that is pooled and each age that it is standardised over; of several measures that stand for the same thing the
-- one that int_indicator__match_terms takes, about the figure's own population before one about none.
{% set cell = ['indicator_code', 'reference_geography', 'residence', 'sex', 'group_code'] %}
with figures as (
    select
        figure.*,
        indicator.pool_years,
        figure.year - case when figure.years_pooled > 1 then indicator.pool_years - 1 else 0 end as first_year
    from {{ ref('figure_indicator') }} as figure
    inner join {{ source('source', 'indicator') }} as indicator
        on indicator.indicator_code = figure.indicator_code
),

matched as (
    select
        figures.indicator_code, figures.region_id, figures.region_code, figures.year, figures.breakdown, figures.variant,
        term.part, term.coefficient, term.series_number, term.same_figure, term.cell_number, term.term_number,
        term.population_basis, term.population_source, value.derivation, value.extract_rank, term.measure, value.value
    from figures
    inner join {{ ref('int_indicator__list_terms') }} as term
        on term.year between figures.first_year and figures.year
        {% for column in cell %}
        and term.{{ column }} = figures.{{ column }}
        {% endfor %}
        and term.population_basis in (figures.population_basis, 'none')
        and term.population_source in (figures.population_source, 'none')
        and (
            term.age_group = figures.age_group
            or (
                figures.standard_population is not null
                and term.age_group in (
                    select age_group from {{ source('source', 'standard_population') }} as standard
                    where standard.standard_population = figures.standard_population
                )
            )
        )
    inner join {{ ref('int_indicator__consolidate_levels') }} as value
        on value.series_number = term.series_number
        and value.region_code = figures.region_code
        and value.is_complete
),

chosen as (
    select *
    from matched
    qualify row_number() over (
        partition by indicator_code, region_id, year, breakdown, variant, same_figure
        order by
            case when value is null then 1 else 0 end,
            case derivation when 'reported' then 0 when 'estimated' then 2 else 1 end,
            extract_rank,
            measure
    ) = 1
    and rank() over (
        partition by indicator_code, region_id, year, breakdown, variant, cell_number, part, term_number
        order by
            case when population_basis = 'none' then 1 else 0 end,
            case when population_source = 'none' then 1 else 0 end
    ) = 1
)

select
    {{ figure_id('chosen.indicator_code', 'chosen.region_id', 'chosen.year', 'chosen.breakdown', 'chosen.variant') }}
        as figure_id,
    chosen.part as role,
    case when series.aggregation = 'own_level' then 'all_levels' else 'value' end as input_kind,
    {{ value_id('chosen.series_number', 'chosen.region_code') }} as input_id,
    cast(chosen.coefficient as double) as weight
from chosen
inner join {{ ref('int_observation__number_series') }} as series
    on series.series_number = chosen.series_number
