-- What keeps a degree from 100: contributions of the indicators, which add up to the gap exactly, and how many people and
-- years are behind each. People and years are those of the region's own figure, as in mart_target_progress.

-- contributions carry numbers (int_score__list_scales, int_score__place_regions): a degree is found by them
with degrees as (
    select
        region.tree_number,
        region.place_number,
        region.domain_number,
        degree.*
    from {{ ref('mart_equalisation') }} as degree
    inner join {{ ref('int_score__aggregate_regions') }} as region
        on region.scale_kind = 'target'
        and region.scale = degree.target_edition
        and region.weight_set = degree.weight_set
        and region.reference_geography = degree.reference_geography
        and region.year = degree.year
        and region.region_code = degree.region_code
        and region.domain = degree.domain
    where degree.method_id = 'population_weighted_mean'
),

indicators as (
    select distinct
        tree.indicator_number, tree.domain as indicator_domain, tree.indicator_code,
        indicator.name_zh, indicator.name_en
    from {{ ref('int_score__list_scales') }} as tree
    inner join {{ ref('stg_indicator') }} as indicator
        on indicator.indicator_code = tree.indicator_code
),

progress as (
    select
        place.place_number,
        indicators.indicator_number,
        progress.edition,
        progress.people_behind_target,
        progress.years_to_target,
        progress.years_to_target_note
    from {{ ref('mart_target_progress') }} as progress
    inner join (
        select distinct place_number, region_code, reference_geography, year
        from {{ ref('int_score__place_regions') }}
    ) as place
        on place.region_code = progress.region_code
        and place.reference_geography = progress.reference_geography
        and place.year = progress.year
    inner join indicators
        on indicators.indicator_code = progress.indicator_code
    where progress.is_final_target
)

select
    degrees.region_code,
    degrees.region_name,
    degrees.region_level,
    degrees.region_depth,
    degrees.reference_geography,
    degrees.year,
    degrees.period_name,
    degrees.domain,
    degrees.method_id,
    degrees.weight_set,
    degrees.target_edition,
    indicators.indicator_code,
    indicators.name_zh as indicator_name_zh,
    indicators.name_en as indicator_name_en,
    indicators.indicator_domain,
    gap.effective_weight,
    gap.attainment,
    cast(gap.contribution_points as double) as contribution_points,
    cast(gap.regions as integer) as regions,
    cast(gap.regions_short as integer) as regions_short,
    progress.people_behind_target,
    progress.years_to_target,
    coalesce(progress.years_to_target_note, 'no_own_figure') as years_to_target_note,
    degrees.obs_status,
    gap.provenance
from {{ ref('int_score__contribute') }} as gap
inner join degrees
    on degrees.tree_number = gap.tree_number
    and degrees.place_number = gap.place_number
    and degrees.domain_number = gap.domain_number
inner join indicators
    on indicators.indicator_number = gap.indicator_number
left join progress
    on progress.place_number = gap.place_number
    and progress.indicator_number = gap.indicator_number
    and progress.edition = degrees.target_edition
