-- Scores of the lowest regions, by domain and as a whole (domain 0), as each region above looks at them: a region sees the
-- indicators that exist at its own level or below. A score is in [0, 1]; `score_low` and `score_high` take every missing
-- indicator at 0 and at 1. `people` is what a lowest region weighs: itself it weighs 1. What numbers stand for:
-- int_score__list_scales and int_score__place_regions.

-- a domain of a lowest region is summed by the depth from which its indicators are seen, then for each region that sees them
with depths as (
    select
        tree.tree_number, leaf.leaf_number, tree.domain_number, leaf.unit_depth,
        max(tree.domain_weight) as domain_weight,
        count(*) as indicators,
        sum(case when leaf.is_applicable then tree.weight else 0 end) as whole_weight,
        sum(case when leaf.score is not null then tree.weight else 0 end) as available_weight,
        {{ stable_part('tree.weight * leaf.score') }} as weighted_sum,
        {{ stable_part('case when leaf.is_clamped then tree.weight end') }} as clamped_weight,
        {{ status_of_rows('case when leaf.score is not null then leaf.obs_status end') }} as letters,
        {{ provenance_of_rows('leaf.provenance') }} as provenance
    from {{ ref('int_score__rate_leaves') }} as leaf
    inner join {{ ref('int_score__list_scales') }} as tree
        on tree.scale_number = leaf.scale_number
        and tree.indicator_number = leaf.indicator_number
    group by tree.tree_number, leaf.leaf_number, tree.domain_number, leaf.unit_depth
),

domains as (
    select
        depths.tree_number,
        place.place_number,
        depths.leaf_number,
        depths.domain_number,
        max(depths.domain_weight) as domain_weight,
        sum(depths.indicators) as indicators,
        sum(depths.whole_weight) as whole_weight,
        sum(depths.available_weight) as available_weight,
        coalesce({{ stable_sum_of_parts('depths.weighted_sum') }}, 0e0) as weighted_sum,
        coalesce({{ stable_sum_of_parts('depths.clamped_weight') }}, 0e0) as clamped_weight,
        {{ status_of_rows('depths.letters') }} as letters,
        {{ provenance_of_rows('depths.provenance') }} as provenance
    from depths
    inner join {{ ref('int_score__place_regions') }} as place
        on place.leaf_number = depths.leaf_number
        and place.region_depth <= depths.unit_depth
    group by depths.tree_number, place.place_number, depths.leaf_number, depths.domain_number
),

scored as (
    select
        domains.*,
        {{ renormalised_mean('weighted_sum', 'available_weight', 'whole_weight', 'setting.minimum_weight') }} as score,
        {{ divide('weighted_sum', 'whole_weight') }} as score_low,
        {{ divide('weighted_sum + cast(whole_weight as double) - cast(available_weight as double)', 'whole_weight') }}
            as score_high,
        {{ divide('available_weight', 'whole_weight') }} as weight_coverage,
        {{ divide('clamped_weight', 'available_weight') }} as clamped_share,
        setting.may_reweight_domains
    from domains
    cross join {{ ref('stg_setting') }} as setting
),

-- a domain without any scored indicator counts too
trees as (
    select
        tree.tree_number,
        sum(listed.domain_weight) as domain_weight,
        count(*) as domains
    from (select distinct tree_number, weight_set from {{ ref('int_score__list_scales') }}) as tree
    inner join (select distinct weight_set, domain, domain_weight from {{ ref('int_score__list_weights') }}) as listed
        on listed.weight_set = tree.weight_set
    group by tree.tree_number
),

wholes as (
    select
        part.tree_number,
        part.place_number,
        part.leaf_number,
        max(tree.domain_weight) - sum(case when part.whole_weight = 0 then part.domain_weight else 0 end) as whole_weight,
        sum(case when part.score is not null then part.domain_weight else 0 end) as available_weight,
        max(tree.domains) - count(case when part.whole_weight = 0 or part.score is not null then 1 end) as domains_missing,
        coalesce({{ stable_sum('part.domain_weight * part.score') }}, 0e0) as weighted_sum,
        coalesce({{ stable_sum('part.domain_weight * part.score_low') }}, 0e0) as low_sum,
        coalesce({{ stable_sum('part.domain_weight * part.score_high') }}, 0e0) as high_sum,
        coalesce({{ stable_sum('part.domain_weight * part.weight_coverage') }}, 0e0) as coverage_sum,
        coalesce({{ stable_sum('case when part.score is not null then part.domain_weight * part.clamped_share end') }}, 0e0)
            as clamped_sum,
        sum(case when part.whole_weight > 0 then part.domain_weight else 0 end) as found_weight,
        {{ status_of_rows("case when part.score is not null then part.letters end") }} as letters,
        {{ provenance_of_rows('part.provenance') }} as provenance,
        {{ any_true('part.may_reweight_domains') }} as may_reweight_domains
    from scored as part
    inner join trees as tree
        on tree.tree_number = part.tree_number
    group by part.tree_number, part.place_number, part.leaf_number
),

united as (
    select
        tree_number, place_number, leaf_number, domain_number,
        domain_weight, whole_weight, available_weight, weighted_sum, 0 as domains_missing, indicators,
        score, score_low, score_high, weight_coverage, clamped_share, letters, provenance,
        case
            when score is not null then 'computed'
            when whole_weight = 0 then 'not_applicable'
            when available_weight = 0 then 'no_figures'
            else 'too_little_weight'
        end as reason
    from scored

    union all

    select
        tree_number, place_number, leaf_number, 0 as domain_number,
        whole_weight as domain_weight, whole_weight, available_weight, weighted_sum, domains_missing, 0 as indicators,
        case
            when domains_missing = 0 or may_reweight_domains
                then {{ divide('weighted_sum', 'available_weight') }}
        end as score,
        {{ divide('low_sum', 'whole_weight') }} as score_low,
        -- a domain without a row is missing as a whole
        {{ divide('high_sum + cast(whole_weight as double) - cast(found_weight as double)', 'whole_weight') }} as score_high,
        {{ divide('coverage_sum', 'whole_weight') }} as weight_coverage,
        {{ divide('clamped_sum', 'available_weight') }} as clamped_share,
        letters,
        provenance,
        case
            when whole_weight = 0 then 'not_applicable'
            when available_weight = 0 then 'no_figures'
            when domains_missing = 0 or may_reweight_domains then 'computed'
            else 'domain_missing'
        end as reason
    from wholes
)

select
    united.tree_number, united.place_number, united.leaf_number, united.domain_number,
    place.region_depth,
    united.domain_weight, united.whole_weight, united.available_weight, united.weighted_sum, united.domains_missing,
    united.indicators,
    united.score,
    -- for the regions above it a lowest region without a score can be anything; its own bounds use what is known of it
    case
        when united.score is null and united.whole_weight > 0 and not place.is_leaf then 0e0
        else united.score_low
    end as score_low,
    case
        when united.score is null and united.whole_weight > 0 and not place.is_leaf then 1e0
        else united.score_high
    end as score_high,
    united.weight_coverage, united.clamped_share, united.letters, united.provenance, united.reason,
    place.is_leaf,
    case when place.is_leaf then 1 else place.people end as people
from united
inner join {{ ref('int_score__place_regions') }} as place
    on place.place_number = united.place_number
    and place.leaf_number = united.leaf_number
