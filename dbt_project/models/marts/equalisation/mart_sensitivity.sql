-- How far the rank of a region and the verdict "meets the target" depend on choices: the published degree under other
-- choices, one family at a time, the published one always among them. Nothing is random: weights go up and down by a
-- quarter one at a time, and all domains together at the points of a fixed sequence. A lowest region's score under
-- another weight of one indicator follows from its domain's sums, so that the cost is linear in regions and scenarios.
{% set place = ['reference_geography', 'year', 'region_code'] %}
{% set points = 16 %}

with editions as (
    {{ main_editions(ref('int_score__place_regions'), ref('stg_target')) }}
),

scores as (
    select score.*
    from {{ ref('int_score__score_leaves') }} as score
    inner join {{ ref('stg_setting') }} as setting
        on setting.weight_set = score.weight_set
    inner join editions
        on editions.year = score.year
        and editions.edition = score.scale
    where score.scale_kind = 'target'
),

regions as (
    select region.*
    from {{ ref('int_score__aggregate_regions') }} as region
    inner join {{ ref('stg_setting') }} as setting
        on setting.weight_set = region.weight_set
    where region.domain = 'all'
),

mains as (
    select regions.*
    from regions
    inner join editions
        on editions.year = regions.year
        and editions.edition = regions.scale
    where regions.scale_kind = 'target'
),

wholes as (
    select * from scores
    where domain = 'all'
),

parts as (
    select
        scores.*,
        dense_rank() over (order by scores.domain) as domain_number
    from scores
    where scores.domain <> 'all'
),

-- one weight of one indicator, by a quarter up or down, or the indicator left out
steps as (
    select 'weights' as scenario_family, 'indicator_up' as step, 0.25e0 as change
    union all
    select 'weights' as scenario_family, 'indicator_down' as step, -0.25e0 as change
    union all
    select 'indicator_out' as scenario_family, 'out' as step, -1e0 as change
),

indicator_steps as (
    select
        parts.reference_geography, parts.year, parts.region_code, parts.leaf_code, parts.people,
        steps.scenario_family,
        {{ dbt.concat(['steps.step', "' '", 'figure.indicator_code']) }} as scenario,
        parts.domain_weight,
        parts.score as part_score,
        parts.indicators,
        parts.whole_weight as part_weight,
        parts.whole_weight + steps.change * case when figure.is_applicable then figure.weight else 0 end as new_weight,
        {{ renormalised_mean(
            'parts.weighted_sum + steps.change * coalesce(figure.weight * figure.score, 0e0)',
            'parts.available_weight + steps.change * case when figure.score is not null then figure.weight else 0 end',
            'parts.whole_weight + steps.change * case when figure.is_applicable then figure.weight else 0 end',
            'setting.minimum_weight'
        ) }} as new_score,
        wholes.weighted_sum, wholes.available_weight, wholes.domains_missing,
        setting.may_reweight_domains
    from parts
    inner join wholes
        on wholes.reference_geography = parts.reference_geography
        and wholes.year = parts.year
        and wholes.region_code = parts.region_code
        and wholes.leaf_code = parts.leaf_code
    inner join {{ ref('int_score__place_regions') }} as region
        on region.reference_geography = parts.reference_geography
        and region.year = parts.year
        and region.region_code = parts.region_code
        and region.leaf_code = parts.leaf_code
    inner join {{ ref('int_score__weigh_leaves') }} as figure
        on figure.scale_kind = parts.scale_kind
        and figure.scale = parts.scale
        and figure.weight_set = parts.weight_set
        and figure.reference_geography = parts.reference_geography
        and figure.year = parts.year
        and figure.leaf_code = parts.leaf_code
        and figure.domain = parts.domain
        and figure.unit_depth >= region.region_depth
    cross join steps
    cross join {{ ref('stg_setting') }} as setting
),

-- a domain in which nothing applies any more is out of the weights; one whose only indicator is left out is missing
stepped as (
    select
        *,
        case when part_score is null and part_weight > 0 then 1 else 0 end as was_missing,
        case
            when new_score is not null then 0
            when new_weight > 1e-9 then 1
            when indicators > 1 then 0
            else 1
        end as is_missing
    from indicator_steps
),

indicator_scores as (
    select
        {{ place | join(', ') }}, leaf_code, people, scenario_family, scenario,
        case
            when may_reweight_domains or domains_missing - was_missing + is_missing = 0
                then {{ divide(
                    'weighted_sum + cast(domain_weight as double) * (coalesce(new_score, 0e0) - coalesce(part_score, 0e0))',
                    'available_weight + domain_weight * (case when new_score is null then 0 else 1 end'
                        ~ ' - case when part_score is null then 0 else 1 end)'
                ) }}
        end as score
    from stepped
),

domain_scores as (
    select
        parts.reference_geography, parts.year, parts.region_code, parts.leaf_code, parts.people,
        'weights' as scenario_family,
        {{ dbt.concat(['changes.step', "' '", 'parts.domain']) }} as scenario,
        case
            when wholes.score is null then null
            when parts.score is null then wholes.score
            else {{ divide(
                'wholes.weighted_sum + changes.change * cast(parts.domain_weight as double) * parts.score',
                'wholes.available_weight + changes.change * parts.domain_weight'
            ) }}
        end as score
    from parts
    inner join wholes
        on wholes.reference_geography = parts.reference_geography
        and wholes.year = parts.year
        and wholes.region_code = parts.region_code
        and wholes.leaf_code = parts.leaf_code
    cross join (
        select 'domain_up' as step, 0.25e0 as change
        union all
        select 'domain_down' as step, -0.25e0 as change
    ) as changes
),

point_numbers as (
    {% for point in range(1, points + 1) %}
    select {{ point }} as point{% if not loop.last %} union all{% endif %}

    {% endfor %}
),

factors as (
    select
        point_numbers.point,
        numbers.domain_number,
        {{ scenario_factor('point_numbers.point', 'numbers.domain_number') }} as factor
    from point_numbers
    cross join (select distinct domain_number from parts) as numbers
),

point_scores as (
    select
        parts.reference_geography, parts.year, parts.region_code, parts.leaf_code,
        max(parts.people) as people,
        'weights' as scenario_family,
        {{ dbt.concat(["'point '", 'cast(factors.point as string)']) }} as scenario,
        {{ divide(
            stable_sum('cast(parts.domain_weight as double) * factors.factor * parts.score'),
            stable_sum('case when parts.score is not null then cast(parts.domain_weight as double) * factors.factor end')
        ) }} as score
    from parts
    inner join wholes
        on wholes.reference_geography = parts.reference_geography
        and wholes.year = parts.year
        and wholes.region_code = parts.region_code
        and wholes.leaf_code = parts.leaf_code
        and wholes.score is not null
    inner join factors
        on factors.domain_number = parts.domain_number
    group by parts.reference_geography, parts.year, parts.region_code, parts.leaf_code, factors.point
),

leaf_scores as (
    select {{ place | join(', ') }}, scenario_family, scenario, people, score from indicator_scores
    union all
    select {{ place | join(', ') }}, scenario_family, scenario, people, score from domain_scores
    union all
    select {{ place | join(', ') }}, scenario_family, scenario, people, score from point_scores
    union all
    -- every lowest region weighs as many people as are registered there
    select
        wholes.reference_geography, wholes.year, wholes.region_code,
        'denominators' as scenario_family,
        'registered_weights' as scenario,
        case when wholes.is_leaf then 1 else region.registered_people end as people,
        wholes.score
    from wholes
    inner join {{ ref('int_score__place_regions') }} as region
        on region.reference_geography = wholes.reference_geography
        and region.year = wholes.year
        and region.region_code = wholes.region_code
        and region.leaf_code = wholes.leaf_code
),

varied as (
    select
        {{ place | join(', ') }}, scenario_family, scenario,
        {{ divide(
            stable_sum('people * score'),
            'sum(case when score is not null then people end)'
        ) }} as score
    from leaf_scores
    group by {{ place | join(', ') }}, scenario_family, scenario

    union all

    select
        regions.reference_geography, regions.year, regions.region_code,
        'denominators' as scenario_family, 'registered_rates' as scenario, regions.mean as score
    from regions
    inner join editions
        on editions.year = regions.year
        and editions.edition = regions.scale
    where regions.scale_kind = 'registered'

    union all

    select
        regions.reference_geography, regions.year, regions.region_code,
        'normalisation' as scenario_family, 'distance' as scenario, regions.mean as score
    from regions
    inner join editions
        on editions.year = regions.year
        and editions.edition = regions.scale
    where regions.scale_kind = 'distance'

    union all

    select
        regions.reference_geography, regions.year, regions.region_code,
        'normalisation' as scenario_family, 'goalposts' as scenario, regions.mean as score
    from regions
    inner join {{ ref('stg_setting') }} as setting
        on setting.goalpost_set = regions.scale
    where regions.scale_kind = 'goalposts'

    {% for scenario, reading in {
        'geometric_mean': 'geometric_mean',
        'mean_less_dispersion': 'mean * (1e0 - variation)',
        'lowest_fifth': 'lowest_fifth',
    }.items() %}
    union all

    select
        {{ place | join(', ') }}, 'aggregation' as scenario_family, '{{ scenario }}' as scenario, {{ reading }} as score
    from mains
    {% endfor %}
),

families as (
    select distinct scenario_family from varied
    union
    select 'all' as scenario_family
),

scenarios as (
    select {{ place | join(', ') }}, scenario_family, scenario, score from varied

    union all

    select {{ place | join(', ') }}, 'all' as scenario_family, {{ dbt.concat(['scenario_family', "' '", 'scenario']) }} as scenario, score
    from varied

    union all

    select
        mains.reference_geography, mains.year, mains.region_code,
        families.scenario_family,
        'published' as scenario,
        mains.mean as score
    from mains
    cross join families
),

ranked as (
    select
        scenarios.*,
        cast(100e0 * scenarios.score as decimal(18, 10)) as degree,
        mains.threshold,
        mains.region_depth,
        case when scenarios.score is not null then
            rank() over (
                partition by
                    scenarios.reference_geography, scenarios.year, mains.region_depth, scenarios.scenario_family,
                    scenarios.scenario
                order by
                    case when scenarios.score is null then 1 else 0 end,
                    cast(100e0 * scenarios.score as decimal(18, 10)) desc
            )
        end as place_among_peers
    from scenarios
    inner join mains
        on mains.reference_geography = scenarios.reference_geography
        and mains.year = scenarios.year
        and mains.region_code = scenarios.region_code
),

summed as (
    select
        {{ place | join(', ') }}, scenario_family,
        max(case when scenario = 'published' then place_among_peers end) as rank_published,
        min(place_among_peers) as rank_low,
        max(place_among_peers) as rank_high,
        min(degree) as degree_low,
        max(degree) as degree_high,
        count(*) as scenarios,
        count(degree) as scenarios_scored,
        -- a place between goalposts is no attainment of targets: only its ranks are compared
        count(case when scenario not like '%goalposts' then degree end) as verdicts,
        count(case when scenario not like '%goalposts' and degree >= threshold then 1 end) as meeting,
        max(case when scenario = 'published' and degree >= threshold then 1 when scenario = 'published' and degree < threshold then 0 end)
            as published_meets,
        max(threshold) as threshold
    from ranked
    group by {{ place | join(', ') }}, scenario_family
),

peers as (
    select reference_geography, year, region_depth, count(mean) as peers
    from mains
    group by reference_geography, year, region_depth
)

select
    mains.region_code,
    mains.region_name,
    mains.region_level,
    mains.region_depth,
    mains.reference_geography,
    mains.year,
    summed.scenario_family,
    mains.weight_set,
    mains.scale as target_edition,
    cast(mains.points as double) as degree_pct,
    cast(summed.degree_low as double) as degree_low_pct,
    cast(summed.degree_high as double) as degree_high_pct,
    cast(summed.rank_published as integer) as rank_published,
    cast(summed.rank_low as integer) as rank_low,
    cast(summed.rank_high as integer) as rank_high,
    cast(peers.peers as integer) as peers,
    summed.threshold as target_pct,
    case when summed.threshold is not null then {{ divide('summed.meeting', 'summed.verdicts') }} end
        as share_meeting_target,
    case
        when summed.published_meets = 1 then {{ divide('summed.verdicts - summed.meeting', 'summed.verdicts') }}
        when summed.published_meets = 0 then {{ divide('summed.meeting', 'summed.verdicts') }}
    end as share_flipping,
    cast(summed.scenarios as integer) as scenarios,
    cast(summed.scenarios_scored as integer) as scenarios_scored,
    mains.reason as undefined_reason,
    {{ ranked_status('mains.letters', 'mains.points') }} as obs_status,
    mains.provenance
from summed
inner join mains
    on mains.reference_geography = summed.reference_geography
    and mains.year = summed.year
    and mains.region_code = summed.region_code
inner join peers
    on peers.reference_geography = mains.reference_geography
    and peers.year = mains.year
    and peers.region_depth = mains.region_depth
