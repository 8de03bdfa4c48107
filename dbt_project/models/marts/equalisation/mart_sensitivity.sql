-- How far the rank of a region and the verdict "meets the target" depend on choices: the published degree under other
-- choices, one family at a time, the published one always among them. Nothing is random: weights go up and down by a
-- quarter one at a time, and all domains together at the points of a fixed sequence. A lowest region's score under
-- another weight of one indicator follows from its domain's sums, so that the cost is linear in regions and scenarios.
{#- what is varied, by family; a scenario is one of these together with what it is done to (`item`: a number, or 0) -#}
{% set steps = {
    'indicator_up': 'weights',
    'indicator_down': 'weights',
    'domain_up': 'weights',
    'domain_down': 'weights',
    'point': 'weights',
    'indicator_out': 'indicator_out',
    'registered_weights': 'denominators',
    'registered_rates': 'denominators',
    'distance': 'normalisation',
    'goalposts': 'normalisation',
    'geometric_mean': 'aggregation',
    'mean_less_dispersion': 'aggregation',
    'lowest_fifth': 'aggregation',
} %}
{% set number = {'published': 0} %}
{% for step in steps %}{% do number.update({step: loop.index}) %}{% endfor %}
{% set points = 16 %}

with steps as (
    {% for step, family in steps.items() %}
    select {{ number[step] }} as step, '{{ family }}' as scenario_family{% if not loop.last %} union all{% endif %}

    {% endfor %}
),

editions as (
    {{ main_editions(ref('int_score__place_regions'), ref('stg_target')) }}
),

-- the published weights on the targets
trees as (
    select tree.*
    from {{ ref('int_score__list_scales') }} as tree
    inner join {{ ref('stg_setting') }} as setting
        on setting.weight_set = tree.weight_set
    where tree.scale_kind = 'target'
),

places as (
    select
        place.place_number,
        trees.tree_number
    from (
        select distinct place_number, year
        from {{ ref('int_score__place_regions') }}
        where reference_geography in (select boundaries from {{ variants_of('degree') }} as main where main.is_main)
    ) as place
    inner join editions
        on editions.year = place.year
    inner join (select distinct tree_number, scale from trees) as trees
        on trees.scale = editions.edition
),

scores as (
    select score.*
    from {{ ref('int_score__score_leaves') }} as score
    inner join places
        on places.place_number = score.place_number
        and places.tree_number = score.tree_number
),

regions as (
    select region.*
    from {{ ref('int_score__aggregate_regions') }} as region
    inner join {{ ref('stg_setting') }} as setting
        on setting.weight_set = region.weight_set
    where region.domain = 'all'
),

-- regions of one depth in one year are peers: they are ranked among each other
mains as (
    select
        regions.*,
        dense_rank() over (order by regions.reference_geography, regions.year, regions.region_depth) as peer_number
    from regions
    inner join editions
        on editions.year = regions.year
        and editions.edition = regions.scale
    where
        regions.scale_kind = 'target'
        and regions.reference_geography in (select boundaries from {{ variants_of('degree') }} as main where main.is_main)
),

wholes as (
    select * from scores
    where domain_number = 0
),

parts as (
    select * from scores
    where domain_number <> 0
),

figures as (
    select
        trees.tree_number,
        trees.domain_number,
        trees.weight,
        leaf.indicator_number,
        leaf.leaf_number,
        leaf.unit_depth,
        leaf.score,
        leaf.is_applicable
    from {{ ref('int_score__rate_leaves') }} as leaf
    inner join trees
        on trees.scale_number = leaf.scale_number
        and trees.indicator_number = leaf.indicator_number
),

-- one weight of one indicator, by a quarter up or down, or the indicator left out
changes as (
    select {{ number['indicator_up'] }} as step, 0.25e0 as change
    union all
    select {{ number['indicator_down'] }} as step, -0.25e0 as change
    union all
    select {{ number['indicator_out'] }} as step, -1e0 as change
),

indicator_steps as (
    select
        parts.place_number, parts.people,
        changes.step,
        figures.indicator_number as item,
        parts.domain_weight,
        parts.score as part_score,
        parts.indicators,
        parts.whole_weight as part_weight,
        parts.whole_weight + changes.change * case when figures.is_applicable then figures.weight else 0 end as new_weight,
        {{ renormalised_mean(
            'parts.weighted_sum + changes.change * coalesce(figures.weight * figures.score, 0e0)',
            'parts.available_weight + changes.change * case when figures.score is not null then figures.weight else 0 end',
            'parts.whole_weight + changes.change * case when figures.is_applicable then figures.weight else 0 end',
            'setting.minimum_weight'
        ) }} as new_score,
        wholes.weighted_sum, wholes.available_weight, wholes.domains_missing,
        setting.may_reweight_domains
    from parts
    inner join wholes
        on wholes.place_number = parts.place_number
        and wholes.leaf_number = parts.leaf_number
    inner join figures
        on figures.tree_number = parts.tree_number
        and figures.leaf_number = parts.leaf_number
        and figures.domain_number = parts.domain_number
        and figures.unit_depth >= parts.region_depth
    cross join changes
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
        place_number, step, item, people,
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
        parts.place_number, changes.step, parts.domain_number as item, parts.people,
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
        on wholes.place_number = parts.place_number
        and wholes.leaf_number = parts.leaf_number
    cross join (
        select {{ number['domain_up'] }} as step, 0.25e0 as change
        union all
        select {{ number['domain_down'] }} as step, -0.25e0 as change
    ) as changes
),

point_numbers as (
    {% for point in range(1, points + 1) %}
    select {{ point }} as point{% if not loop.last %} union all{% endif %}

    {% endfor %}
),

-- the domains that there are, one after the other, whatever their numbers
positions as (
    select
        domain_number,
        row_number() over (order by domain_number) as position
    from (select distinct domain_number from parts) as listed
),

factors as (
    select
        point_numbers.point,
        positions.domain_number,
        {{ scenario_factor('point_numbers.point', 'positions.position') }} as factor
    from point_numbers
    cross join positions
),

point_scores as (
    select
        parts.place_number, {{ number['point'] }} as step, factors.point as item,
        max(parts.people) as people,
        {{ divide(
            stable_sum('cast(parts.domain_weight as double) * factors.factor * parts.score'),
            stable_sum('case when parts.score is not null then cast(parts.domain_weight as double) * factors.factor end')
        ) }} as score
    from parts
    inner join wholes
        on wholes.place_number = parts.place_number
        and wholes.leaf_number = parts.leaf_number
        and wholes.score is not null
    inner join factors
        on factors.domain_number = parts.domain_number
    group by parts.place_number, parts.leaf_number, factors.point
),

leaf_scores as (
    select place_number, step, item, people, score from indicator_scores
    union all
    select place_number, step, item, people, score from domain_scores
    union all
    select place_number, step, item, people, score from point_scores
    union all
    -- every lowest region weighs as many people as are registered there
    select
        wholes.place_number, {{ number['registered_weights'] }} as step, 0 as item,
        case when wholes.is_leaf then 1 else place.registered_people end as people,
        wholes.score
    from wholes
    inner join {{ ref('int_score__place_regions') }} as place
        on place.place_number = wholes.place_number
        and place.leaf_number = wholes.leaf_number
),

scenarios as (
    select
        place_number, step, item,
        {{ divide(
            stable_sum('people * score'),
            'sum(case when score is not null then people end)'
        ) }} as score
    from leaf_scores
    group by place_number, step, item

    {% for scale_kind, step in {'registered': 'registered_rates', 'distance': 'distance'}.items() %}
    union all

    select regions.place_number, {{ number[step] }} as step, 0 as item, regions.mean as score
    from regions
    inner join editions
        on editions.year = regions.year
        and editions.edition = regions.scale
    where regions.scale_kind = '{{ scale_kind }}'

    {% endfor %}
    union all

    select regions.place_number, {{ number['goalposts'] }} as step, 0 as item, regions.mean as score
    from regions
    inner join {{ ref('stg_setting') }} as setting
        on setting.goalpost_set = regions.scale
    where regions.scale_kind = 'goalposts'

    {% for step, reading in {
        'published': 'mean',
        'geometric_mean': 'geometric_mean',
        'mean_less_dispersion': 'mean * (1e0 - variation)',
        'lowest_fifth': 'lowest_fifth',
    }.items() %}
    union all

    select place_number, {{ number[step] }} as step, 0 as item, {{ reading }} as score
    from mains
    {% endfor %}
),

ranked as (
    select
        scenarios.place_number,
        scenarios.step,
        cast(100e0 * scenarios.score as decimal(18, 10)) as degree,
        mains.threshold,
        case when scenarios.score is not null then
            rank() over (
                partition by mains.peer_number, scenarios.step, scenarios.item
                order by
                    case when scenarios.score is null then 1 else 0 end,
                    cast(100e0 * scenarios.score as decimal(18, 10)) desc
            )
        end as place_among_peers
    from scenarios
    inner join mains
        on mains.place_number = scenarios.place_number
),

-- ranks and verdicts of a family are those of its steps: all families together need no ranking of their own
counted as (
    select
        place_number, step,
        min(place_among_peers) as rank_low,
        max(place_among_peers) as rank_high,
        min(degree) as degree_low,
        max(degree) as degree_high,
        count(*) as scenarios,
        count(degree) as scenarios_scored,
        -- a place between goalposts is no attainment of targets: only its ranks are compared
        count(case when step <> {{ number['goalposts'] }} then degree end) as verdicts,
        count(case when step <> {{ number['goalposts'] }} and degree >= threshold then 1 end) as meeting
    from ranked
    group by place_number, step
),

-- the published score is a scenario of every family that there is
families as (
    select distinct steps.scenario_family
    from steps
    inner join counted
        on counted.step = steps.step
    union
    select 'all' as scenario_family
),

listed as (
    select steps.scenario_family, counted.*
    from counted
    inner join steps
        on steps.step = counted.step

    union all

    select 'all' as scenario_family, counted.*
    from counted
    where counted.step <> {{ number['published'] }}

    union all

    select families.scenario_family, counted.*
    from counted
    cross join families
    where counted.step = {{ number['published'] }}
),

summed as (
    select
        place_number, scenario_family,
        max(case when step = {{ number['published'] }} then rank_low end) as rank_published,
        min(rank_low) as rank_low,
        max(rank_high) as rank_high,
        min(degree_low) as degree_low,
        max(degree_high) as degree_high,
        sum(scenarios) as scenarios,
        sum(scenarios_scored) as scenarios_scored,
        sum(verdicts) as verdicts,
        sum(meeting) as meeting,
        max(case when step = {{ number['published'] }} and verdicts > 0 then meeting end) as published_meets
    from listed
    group by place_number, scenario_family
),

peers as (
    select peer_number, count(mean) as peers
    from mains
    group by peer_number
)

select
    {{ region_columns('mains') }},
    {{ period_columns('mains') }},
    summed.scenario_family,
    cast(mains.points as double) as degree_pct,
    cast(summed.degree_low as double) as degree_low_pct,
    cast(summed.degree_high as double) as degree_high_pct,
    cast(summed.rank_published as integer) as rank_published,
    cast(summed.rank_low as integer) as rank_low,
    cast(summed.rank_high as integer) as rank_high,
    cast(peers.peers as integer) as peers,
    case
        when 4 * summed.rank_high <= peers.peers then 1
        when 4 * (summed.rank_low - 1) >= 3 * peers.peers then 4
    end as quarter_by_every_method,
    mains.threshold as target_pct,
    case when mains.threshold is not null then {{ divide('summed.meeting', 'summed.verdicts') }} end
        as share_meeting_target,
    case
        when mains.threshold is null then null
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
    on mains.place_number = summed.place_number
inner join peers
    on peers.peer_number = mains.peer_number
{{ joins_region('mains') }}
