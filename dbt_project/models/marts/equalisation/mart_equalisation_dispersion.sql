-- How far the lowest regions inside a region lie apart, beside its degree and never inside it; groups of regions against
-- the rest of the same region. Main method only.
{% set key = ['tree_number', 'place_number', 'domain_number'] %}

with scores as (
    select score.*
    from {{ ref('int_score__aggregate_regions') }} as score
    inner join ({{ main_editions(ref('int_score__place_regions'), ref('stg_target')) }}) as editions
        on editions.year = score.year
        and editions.edition = score.scale
    inner join {{ variants_of('degree') }} as main
        on main.is_main
        and main.boundaries = score.reference_geography
        and main.weight_set = score.weight_set
    where score.scale_kind = 'target' and not score.is_leaf
),

groups as (
    select distinct
        place.reference_geography,
        place.year,
        place.leaf_number,
        member.group_code
    from {{ ref('int_score__place_regions') }} as place
    inner join {{ source('source', 'region_group') }} as member
        on member.region_code = place.leaf_code
        and member.valid_from <= place.as_of_date
        and (member.valid_to is null or member.valid_to > place.as_of_date)
    where place.is_leaf
),

listed as (
    select distinct reference_geography, year, group_code
    from groups
),

grouped as (
    select
        {% for column in key %}
        score.{{ column }},
        {% endfor %}
        listed.group_code,
        {{ stable_sum('case when groups.group_code is not null then score.people * score.score end') }} as group_sum,
        {{ stable_sum('case when groups.group_code is not null and score.score is not null then score.people end') }}
            as group_people,
        count(case when groups.group_code is not null then score.score end) as group_regions,
        count(groups.group_code) as members,
        {{ stable_sum('case when groups.group_code is null then score.people * score.score end') }} as rest_sum,
        {{ stable_sum('case when groups.group_code is null and score.score is not null then score.people end') }}
            as rest_people,
        count(case when groups.group_code is null then score.score end) as rest_regions,
        count(*) - count(groups.group_code) as others
    from {{ ref('int_score__score_leaves') }} as score
    inner join scores as region
        on region.tree_number = score.tree_number
        and region.place_number = score.place_number
        and region.domain_number = score.domain_number
    inner join listed
        on listed.reference_geography = region.reference_geography
        and listed.year = region.year
    left join groups
        on groups.leaf_number = score.leaf_number
        and groups.group_code = listed.group_code
    group by
        {% for column in key %}
        score.{{ column }},
        {% endfor %}
        listed.group_code
),

measured as (
    select
        {{ key | join(', ') }},
        'weighted_cv_pct' as measure,
        'all' as group_code,
        100e0 * variation as value,
        regions_scored as regions,
        case when mean is null then reason when variation is null then 'mean_not_positive' else 'computed' end
            as undefined_reason
    from scores

    union all

    select
        {{ key | join(', ') }},
        'max_to_min_ratio' as measure,
        'all' as group_code,
        case when regions_scored > 1 then {{ divide('highest', 'lowest') }} end as value,
        regions_scored as regions,
        case
            when mean is null then reason
            when regions_scored < 2 then 'one_region'
            when lowest = 0 then 'lowest_is_zero'
            else 'computed'
        end as undefined_reason
    from scores

    union all

    select
        {{ key | join(', ') }},
        'residents_at_target_pct' as measure,
        'all' as group_code,
        100e0 * share_at_threshold as value,
        regions_scored as regions,
        case when mean is null then reason when threshold is null then 'no_threshold' else 'computed' end
            as undefined_reason
    from scores

    union all

    select
        {{ key | join(', ') }},
        'group_degree_pct' as measure,
        group_code,
        100e0 * {{ divide('group_sum', 'group_people') }} as value,
        group_regions as regions,
        case when group_people > 0 then 'computed' else 'no_scores' end as undefined_reason
    from grouped
    where members > 0

    union all

    select
        {{ key | join(', ') }},
        'rest_degree_pct' as measure,
        group_code,
        100e0 * {{ divide('rest_sum', 'rest_people') }} as value,
        rest_regions as regions,
        case when rest_people > 0 then 'computed' else 'no_scores' end as undefined_reason
    from grouped
    where members > 0 and others > 0
)

select
    {{ region_columns('scores') }},
    {{ period_columns('scores') }},
    scores.domain,
    {{ domain_names('scores.domain', 'domain') }},
    measured.measure,
    measured.group_code,
    cast(cast(measured.value as decimal(18, 12)) as double) as value,
    cast(measured.regions as integer) as regions,
    measured.undefined_reason,
    {{ ranked_status('scores.letters', 'measured.value') }} as obs_status,
    scores.provenance
from measured
inner join scores
    on scores.tree_number = measured.tree_number
    and scores.place_number = measured.place_number
    and scores.domain_number = measured.domain_number
{{ joins_region('scores') }}
{{ joins_domain('scores.domain') }}
