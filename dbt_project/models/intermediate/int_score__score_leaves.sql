-- Scores of the lowest regions, by domain and as a whole (`all`), as each region above looks at them: a region sees the
-- indicators that exist at its own level or below. A score is in [0, 1]; `score_low` and `score_high` take every missing
-- indicator at 0 and at 1. `people` is what a lowest region weighs: itself it weighs 1.
{% set scale = ['scale_kind', 'scale', 'weight_set', 'reference_geography', 'year'] %}

-- a domain of a lowest region is summed by the depth from which its indicators are seen, then for each region that sees them
with depths as (
    select
        {{ scale | join(', ') }}, leaf_code, domain, unit_depth,
        max(domain_weight) as domain_weight,
        count(*) as indicators,
        sum(case when is_applicable then weight else 0 end) as whole_weight,
        sum(case when score is not null then weight else 0 end) as available_weight,
        {{ stable_part('weight * score') }} as weighted_sum,
        {{ stable_part('case when is_clamped then weight end') }} as clamped_weight,
        {{ status_of_rows('case when score is not null then obs_status end') }} as letters,
        {{ provenance_of_rows('provenance') }} as provenance
    from {{ ref('int_score__weigh_leaves') }}
    group by {{ scale | join(', ') }}, leaf_code, domain, unit_depth
),

domains as (
    select
        {% for column in scale %}
        depths.{{ column }},
        {% endfor %}
        place.region_code,
        place.leaf_code,
        depths.domain,
        max(depths.domain_weight) as domain_weight,
        sum(depths.indicators) as indicators,
        sum(depths.whole_weight) as whole_weight,
        sum(depths.available_weight) as available_weight,
        coalesce({{ stable_sum('depths.weighted_sum') }}, 0e0) as weighted_sum,
        coalesce({{ stable_sum('depths.clamped_weight') }}, 0e0) as clamped_weight,
        {{ status_of_rows('depths.letters') }} as letters,
        {{ provenance_of_rows('depths.provenance') }} as provenance
    from depths
    inner join {{ ref('int_score__place_regions') }} as place
        on place.reference_geography = depths.reference_geography
        and place.year = depths.year
        and place.leaf_code = depths.leaf_code
        and place.region_depth <= depths.unit_depth
    group by
        {% for column in scale %}
        depths.{{ column }},
        {% endfor %}
        place.region_code, place.leaf_code, depths.domain
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

trees as (
    select
        weight_set,
        sum(domain_weight) as domain_weight,
        count(*) as domains
    from (select distinct weight_set, domain, domain_weight from {{ ref('int_score__list_weights') }}) as listed
    group by weight_set
),

wholes as (
    select
        {% for column in scale %}
        part.{{ column }},
        {% endfor %}
        part.region_code,
        part.leaf_code,
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
        on tree.weight_set = part.weight_set
    group by
        {% for column in scale %}
        part.{{ column }},
        {% endfor %}
        part.region_code, part.leaf_code
),

united as (
    select
        {{ scale | join(', ') }}, region_code, leaf_code, domain,
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
        {{ scale | join(', ') }}, region_code, leaf_code, 'all' as domain,
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
    {% for column in scale %}
    united.{{ column }},
    {% endfor %}
    united.region_code, place.region_depth, united.leaf_code, united.domain,
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
    case when place.is_leaf then 1 else place.people end as people,
    case when place.is_leaf then null else place.people_status end as people_status,
    case when place.is_leaf then null else place.people_provenance end as people_provenance
from united
inner join {{ ref('int_score__place_regions') }} as place
    on place.reference_geography = united.reference_geography
    and place.year = united.year
    and place.region_code = united.region_code
    and place.leaf_code = united.leaf_code
