-- Each value against its target: the region's own target before the one for everywhere; of several target years the
-- first that is not over, else the last; of several editions the last in alphabetical order. The row names all three.
with wanted as (
    select distinct indicator_code, region_code, year
    from {{ ref('int_indicator__compute') }}
),

targets as (
    select
        wanted.indicator_code,
        wanted.region_code,
        wanted.year,
        target.target_year,
        target.edition as target_edition,
        target.origin as target_origin,
        target.target_value,
        target.lower_limit,
        target.upper_limit,
        target.baseline,
        row_number() over (
            partition by wanted.indicator_code, wanted.region_code, wanted.year
            order by
                case when target.region_code = wanted.region_code then 0 else 1 end,
                case when target.target_year >= wanted.year then 0 else 1 end,
                abs(target.target_year - wanted.year),
                target.edition desc
        ) as place
    from wanted
    inner join {{ ref('stg_target') }} as target
        on target.indicator_code = wanted.indicator_code
        and (target.region_code = wanted.region_code or target.region_code = 'all')
)

{% set formula = ['figure.direction', 'figure.value', 'targets.target_value', 'targets.lower_limit',
                  'targets.upper_limit', 'targets.baseline'] %}
select
    figure.*,
    targets.target_year,
    targets.target_edition,
    targets.target_origin,
    targets.target_value,
    {{ attainment(*formula) }} as attainment,
    {{ attainment_uncapped(*formula) }} as ratio_to_target,
    case
        when figure.direction = 'higher' and figure.value < 0 then 'negative_value'
        else {{ attainment_reason(*formula) }}
    end as attainment_note
from {{ ref('int_indicator__compute') }} as figure
left join targets
    on targets.indicator_code = figure.indicator_code
    and targets.region_code = figure.region_code
    and targets.year = figure.year
    and targets.place = 1
