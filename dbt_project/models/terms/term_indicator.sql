-- What each figure of an indicator is computed from: the numbers of its numerator and denominator with their coefficients, of
-- each year that is pooled and each age that it is standardised over; of several measures that stand for the same thing the
-- one that int_indicator__match_terms takes, about the figure's own population before one about none. The role of what is
-- standardised ends with its age; `share` is that of the age in the standard population.
{% set cell = ['indicator_code', 'reference_geography', 'residence', 'sex', 'group_code'] %}
{% set figure = ['indicator_code', 'region_id', 'year', 'breakdown', 'variant'] %}
{% set about = figure + ['region_code', 'reference_geography', 'residence', 'population_basis', 'population_source'] %}
with figures as (
    select
        {% for column in about %}
        figure.{{ column }},
        {% endfor %}
        figure.sex, figure.age_group, figure.group_code, figure.standard_population, figure.year_start,
        figure.year - case when figure.years_pooled > 1 then indicator.pool_years - 1 else 0 end as first_year
    from {{ ref('figure_indicator') }} as figure
    inner join {{ source('source', 'indicator') }} as indicator
        on indicator.indicator_code = figure.indicator_code

    union all

    -- the users of a domain's services
    select
        subject_code, region_id, year,
        case residence when 'total' then 'all' else {{ dbt.concat(["'residence='", 'residence']) }} end,
        variant, region_code, reference_geography, residence, users_basis, users_source,
        'all', 'all', 'all', cast(null as {{ dbt.type_string() }}), year_start, year
    from {{ ref('figure_per_user') }}
    where users is not null and not takes_other_people
),

standards as (
    select standard.standard_population, standard.age_group, {{ divide('standard.weight', 'whole.weight') }} as share
    from {{ source('source', 'standard_population') }} as standard
    inner join (
        select standard_population, sum(weight) as weight
        from {{ source('source', 'standard_population') }}
        group by standard_population
    ) as whole
        on whole.standard_population = standard.standard_population
),

matched as (
    select
        {% for column in figure %}
        figures.{{ column }},
        {% endfor %}
        figures.region_code, figures.standard_population, term.part, term.coefficient, term.series_number, term.same_figure,
        term.cell_number, term.term_number, term.population_basis, term.population_source, term.age_group,
        value.derivation, value.extract_rank, term.measure, value.value
    from figures
    inner join {{ ref('int_indicator__list_terms') }} as term
        on term.year between figures.first_year and figures.year
        -- a calendar year and a financial one can have the same name
        and extract(month from term.year_start) = extract(month from figures.year_start)
        and extract(day from term.year_start) = extract(day from figures.year_start)
        {% for column in cell %}
        and term.{{ column }} = figures.{{ column }}
        {% endfor %}
        and term.population_basis in (figures.population_basis, 'none')
        and term.population_source in (figures.population_source, 'none')
        and (
            (figures.standard_population is null and term.age_group = figures.age_group)
            or (
                figures.standard_population is not null
                and term.age_group in (
                    select standards.age_group from standards where standards.standard_population = figures.standard_population
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
        partition by {{ figure | join(', ') }}, same_figure
        order by
            case when value is null then 1 else 0 end,
            case derivation when 'reported' then 0 when 'estimated' then 2 else 1 end,
            extract_rank,
            measure
    ) = 1
    and rank() over (
        partition by {{ figure | join(', ') }}, cell_number, part, term_number
        order by
            case when population_basis = 'none' then 1 else 0 end,
            case when population_source = 'none' then 1 else 0 end
    ) = 1
)

select
    'figure' as figure_kind, {{ figure_id('chosen.indicator_code', 'chosen.region_id', 'chosen.year', 'chosen.breakdown', 'chosen.variant') }}
        as figure_id,
    case
        when chosen.standard_population is null then chosen.part
        else {{ dbt.concat(['chosen.part', "';'", 'chosen.age_group']) }}
    end as role,
    case when series.aggregation = 'own_level' then 'all_levels' else 'value' end as input_kind,
    {{ value_id('chosen.series_number', 'chosen.region_code') }} as input_id,
    cast(chosen.coefficient as double) as weight
from chosen
inner join {{ ref('int_observation__number_series') }} as series
    on series.series_number = chosen.series_number

union all

select
    'figure' as figure_kind, {{ figure_id('indicator_code', breakdown='breakdown') }},
    {{ dbt.concat(["'share;'", 'standards.age_group']) }}, 'parameter',
    {{ key_text(['standards.standard_population', 'standards.age_group']) }}, standards.share
from figures
inner join standards
    on standards.standard_population = figures.standard_population

order by figure_kind, figure_id, role, input_kind, input_id
