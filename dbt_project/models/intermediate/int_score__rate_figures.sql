-- The chosen figure of each scored indicator on each scale, as a score in [0, 1]:
--   target       attainment of the target; one scale per edition of the targets
--   registered   the same, with rates over registered people where they are known (sensitivity only)
--   goalposts    the place between the goalposts; one scale per set
--   distance     the distance to the target from the worse goalpost of the main set (sensitivity only)
-- The target of an edition is the one of its last year, the region's own before the one for everywhere: years are
-- measured against one aim; milestones on the way are in mart_target_progress. An indicator without a usable target, or
-- without goalposts that differ, has no rows on that scale. `target`, `low`, `high` and `baseline` are what it is rated by.
{% set target_columns = ['target_year', 'target_value', 'lower_limit', 'upper_limit', 'baseline', 'origin'] %}
{% set target = ['target_value', 'lower_limit', 'upper_limit', 'baseline'] %}

with figures as (
    select
        {% for column in ['reference_geography', 'year', 'region_code', 'region_depth', 'indicator_code', 'direction',
                          'value', 'provenance'] %}
        figure.{{ column }},
        {% endfor %}
        {{ status_to_score('figure') }} as obs_status,
        registered.value as registered_value,
        {{ status_to_score('registered') }} as registered_status,
        registered.provenance as registered_provenance,
        registered.region_code is not null as has_registered
    from {{ ref('int_score__choose_figures') }} as figure
    inner join {{ source('source', 'indicator') }} as indicator
        on indicator.indicator_code = figure.indicator_code
        and indicator.role = 'scored'
    left join {{ ref('int_score__choose_figures') }} as registered
        on registered.reading = 'registered'
        and registered.reference_geography = figure.reference_geography
        and registered.year = figure.year
        and registered.region_code = figure.region_code
        and registered.indicator_code = figure.indicator_code
    where figure.reading = 'main'
),

finals as (
    select * from {{ ref('int_target__choose_finals') }}
),

editions as (
    select distinct edition, indicator_code
    from finals
),

aims as (
    select
        editions.edition,
        figures.*,
        {% for column in target_columns %}
        case
            when own.target_year >= coalesce(everywhere.target_year, own.target_year) then own.{{ column }}
            else everywhere.{{ column }}
        end as {{ column }}{% if not loop.last %},{% endif %}

        {% endfor %}
    from figures
    inner join editions
        on editions.indicator_code = figures.indicator_code
    left join finals as own
        on own.edition = editions.edition
        and own.indicator_code = editions.indicator_code
        and own.region_code = figures.region_code
    left join finals as everywhere
        on everywhere.edition = editions.edition
        and everywhere.indicator_code = editions.indicator_code
        and everywhere.region_code = 'all'
),

goalposts as (
    select
        goalpost.*,
        goalpost.goalpost_set = setting.goalpost_set as is_main
    from {{ source('source', 'goalpost') }} as goalpost
    cross join {{ ref('stg_setting') }} as setting
),

-- an interval's goalposts are measured from the aim of the newest edition
interval_aims as (
    select *
    from (
        select
            *,
            row_number() over (
                partition by reference_geography, year, region_code, indicator_code
                order by target_year desc, edition desc
            ) as place
        from aims
        where direction = 'interval'
    ) as placed
    where place = 1
),

rated as (
    select
        'target' as scale_kind,
        edition as scale,
        reference_geography, year, region_code, region_depth, indicator_code,
        {{ attainment(*(['direction', 'value'] + target)) }} as score,
        value is null as is_missing,
        obs_status,
        provenance,
        origin = 'illustrative' as is_illustrative,
        false as is_clamped,
        target_value as target, lower_limit as low, upper_limit as high, baseline
    from aims
    where {{ attainment_reason(*(['direction', '1'] + target)) }} = 'computed'

    union all

    select
        'registered' as scale_kind,
        edition as scale,
        reference_geography, year, region_code, region_depth, indicator_code,
        case
            when has_registered then {{ attainment(*(['direction', 'registered_value'] + target)) }}
            else {{ attainment(*(['direction', 'value'] + target)) }}
        end as score,
        case when has_registered then registered_value is null else value is null end as is_missing,
        case when has_registered then registered_status else obs_status end as obs_status,
        case when has_registered then registered_provenance else provenance end as provenance,
        origin = 'illustrative' as is_illustrative,
        false as is_clamped,
        target_value as target, lower_limit as low, upper_limit as high, baseline
    from aims
    where {{ attainment_reason(*(['direction', '1'] + target)) }} = 'computed'

    union all

    select
        'goalposts' as scale_kind,
        goalposts.goalpost_set as scale,
        figures.reference_geography, figures.year, figures.region_code, figures.region_depth, figures.indicator_code,
        {{ goalpost_score('figures.direction', 'figures.value', 'goalposts.low', 'goalposts.high', 'interval_aims.target_value') }} as score,
        figures.value is null as is_missing,
        figures.obs_status,
        figures.provenance,
        false as is_illustrative,
        coalesce({{ goalpost_unclamped('figures.direction', 'figures.value', 'goalposts.low', 'goalposts.high', 'interval_aims.target_value') }}
            not between 0 and 1, false) as is_clamped,
        interval_aims.target_value, goalposts.low, goalposts.high, null
    from figures
    inner join goalposts
        on goalposts.indicator_code = figures.indicator_code
    left join interval_aims
        on interval_aims.reference_geography = figures.reference_geography
        and interval_aims.year = figures.year
        and interval_aims.region_code = figures.region_code
        and interval_aims.indicator_code = figures.indicator_code
    where {{ goalpost_reason('figures.direction', 'goalposts.low', 'goalposts.high', 'interval_aims.target_value') }} = 'computed'

    union all

    select
        'distance' as scale_kind,
        aims.edition as scale,
        aims.reference_geography, aims.year, aims.region_code, aims.region_depth, aims.indicator_code,
        {{ distance_score('aims.direction', 'aims.value', 'goalposts.low', 'goalposts.high', 'aims.target_value') }} as score,
        aims.value is null as is_missing,
        aims.obs_status,
        aims.provenance,
        aims.origin = 'illustrative' as is_illustrative,
        false as is_clamped,
        aims.target_value, goalposts.low, goalposts.high, null
    from aims
    inner join goalposts
        on goalposts.indicator_code = aims.indicator_code
        and goalposts.is_main
    where goalposts.low < goalposts.high and aims.target_value is not null
)

select
    scale_kind, scale, reference_geography, year, region_code, region_depth, indicator_code,
    score,
    -- what cannot exist there (nobody is entitled, nothing to serve) is out of the weights; a gap is not
    not (is_missing and obs_status = 'M') as is_applicable,
    obs_status,
    provenance,
    coalesce(is_illustrative, false) as is_illustrative,
    is_clamped,
    target,
    low,
    high,
    baseline
from rated
