-- What keeps a degree from 100: contributions of the indicators, which add up to the gap exactly, and how many people and
-- years are behind each. People and years are those of the region's own figure, as in mart_target_progress.

-- contributions carry numbers (int_score__list_scales, int_score__place_regions): a degree is found by them
with degrees as (
    select
        variant.variant,
        region.tree_number,
        region.place_number,
        region.domain_number,
        region.region_code,
        region.reference_geography,
        region.as_of_date,
        region.year,
        region.year_start,
        region.domain,
        region.scale as target_edition,
        {{ ranked_status('region.letters', 'region.points') }} as obs_status
    from {{ ref('int_score__aggregate_regions') }} as region
    inner join ({{ main_editions(ref('int_score__place_regions'), ref('stg_target')) }}) as editions
        on editions.year = region.year
    inner join {{ variants_of('contribution') }} as variant
        on variant.boundaries = region.reference_geography
        and variant.weight_set = region.weight_set
        and case variant.target_edition when 'in_force' then editions.edition else variant.target_edition end = region.scale
    where region.scale_kind = 'target'
),

indicators as (
    select distinct
        scale.indicator_number, scale.domain as indicator_domain, scale.indicator_code, indicator.name_zh,
        indicator.name_en
    from {{ ref('int_score__list_scales') }} as scale
    inner join {{ source('source', 'indicator') }} as indicator
        on indicator.indicator_code = scale.indicator_code
),

-- people and years are those of the region's own figure
progress as (
    select
        region_code, reference_geography, year, indicator_code, edition, people_behind_target, years_to_target,
        years_to_target_note
    from {{ ref('figure_progress') }}
    where is_final_target
)

select
    degrees.variant,
    {{ region_columns('degrees') }},
    {{ period_columns('degrees') }},
    degrees.domain,
    {{ domain_names('degrees.domain', 'domain') }},
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
    cast(row_number() over (
        partition by degrees.variant, region.region_id, degrees.year, degrees.domain
        order by gap.contribution_points desc, indicators.indicator_code
    ) as integer) as place,
    progress.people_behind_target,
    progress.years_to_target,
    coalesce(progress.years_to_target_note, 'no_own_figure') as years_to_target_note,
    degrees.obs_status,
    gap.provenance,
    degrees.reference_geography as boundaries,
    degrees.as_of_date as boundaries_date
from {{ ref('int_score__contribute') }} as gap
inner join degrees
    on degrees.tree_number = gap.tree_number
    and degrees.place_number = gap.place_number
    and degrees.domain_number = gap.domain_number
inner join indicators
    on indicators.indicator_number = gap.indicator_number
left join {{ ref('int_region__date') }} as region
    on region.reference_geography = degrees.reference_geography
    and region.as_of_date = degrees.as_of_date
    and region.region_code = degrees.region_code
{{ joins_domain('degrees.domain') }}
left join progress
    on progress.region_code = degrees.region_code
    and progress.reference_geography = degrees.reference_geography
    and progress.year = degrees.year
    and progress.indicator_code = indicators.indicator_code
    and progress.edition = degrees.target_edition
