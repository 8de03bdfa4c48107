-- The one figure that stands for an indicator in each region and year; scores and progress are made of nothing else.
-- It is about the population that the indicator's line names (`denominator_population`; `none` where it names none) and
-- about no other: a rate of registered people never stands in for one of residents. Of what is left, the first in this
-- order: the population source that the line names, then that of the jurisdiction, then the others; everybody before parts
-- (both places of residence, both sexes, every age, every group), then the first in the alphabet. One choice holds for all
-- regions and years of a geography: what is compared is about the same people. Beside it, as variant `registered`, the
-- same rate over registered people where it is known.
{% set cell = ['population_basis', 'population_source', 'residence', 'sex', 'age_group', 'group_code'] %}

with figures as (
    select * from {{ ref('int_indicator__compute') }}
),

cells as (
    select distinct
        reference_geography,
        indicator_code,
        {{ cell | join(', ') }}
    from figures
),

placed as (
    select
        cells.*,
        row_number() over (
            partition by cells.reference_geography, cells.indicator_code
            order by
                case cells.population_basis when 'none' then 0 when 'target_group' then 1 else 2 end,
                case when cells.population_source = indicator.population_source then 0 else 1 end,
                {{ source_rank('cells.population_source', 'setting.population_source') }},
                case when cells.residence = 'total' then 0 else 1 end,
                cells.residence,
                case when cells.sex = 'all' then 0 else 1 end,
                cells.sex,
                case when cells.age_group = 'all' then 0 else 1 end,
                cells.age_group,
                case when cells.group_code = 'all' then 0 else 1 end,
                cells.group_code
        ) as place
    from cells
    cross join {{ ref('stg_setting') }} as setting
    inner join {{ ref('stg_indicator') }} as indicator
        on indicator.indicator_code = cells.indicator_code
        and (
            cells.population_basis = indicator.denominator_population
            or (indicator.denominator_population is null and cells.population_basis <> 'registered')
        )
),

variants as (
    select 'main' as variant, reference_geography, indicator_code, {{ cell | join(', ') }}
    from placed
    where place = 1

    union all

    select
        'registered' as variant,
        cells.reference_geography,
        cells.indicator_code,
        {% for column in cell %}
        cells.{{ column }}{% if not loop.last %},{% endif %}

        {% endfor %}
    from placed
    inner join cells
        on cells.reference_geography = placed.reference_geography
        and cells.indicator_code = placed.indicator_code
        and cells.population_basis = 'registered'
        {% for column in cell[1:] %}
        and cells.{{ column }} = placed.{{ column }}
        {% endfor %}
    where placed.place = 1 and placed.population_basis = 'resident'
)

select
    variants.variant,
    figures.*
from variants
inner join figures
    on figures.reference_geography = variants.reference_geography
    and figures.indicator_code = variants.indicator_code
    {% for column in cell %}
    and figures.{{ column }} = variants.{{ column }}
    {% endfor %}
