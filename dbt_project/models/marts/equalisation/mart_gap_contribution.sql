-- What keeps a degree from 100: contributions of the indicators, which add up to the gap exactly, and how many people and
-- years are behind each. People and years are those of the region's own figure, as in mart_target_progress.
select
    degree.region_code,
    degree.region_name,
    degree.region_level,
    degree.region_depth,
    degree.reference_geography,
    degree.year,
    degree.domain,
    degree.method_id,
    degree.weight_set,
    degree.target_edition,
    gap.indicator_code,
    indicator.name_zh as indicator_name_zh,
    indicator.name_en as indicator_name_en,
    gap.indicator_domain,
    gap.effective_weight,
    gap.attainment,
    cast(gap.contribution_points as double) as contribution_points,
    cast(gap.regions as integer) as regions,
    cast(gap.regions_short as integer) as regions_short,
    progress.people_behind_target,
    progress.years_to_target,
    coalesce(progress.years_to_target_note, 'no_own_figure') as years_to_target_note,
    degree.obs_status,
    gap.provenance
from {{ ref('int_score__contribute') }} as gap
inner join {{ ref('mart_equalisation') }} as degree
    on degree.region_code = gap.region_code
    and degree.reference_geography = gap.reference_geography
    and degree.year = gap.year
    and degree.domain = gap.domain
    and degree.weight_set = gap.weight_set
    and degree.target_edition = gap.scale
    and degree.method_id = 'population_weighted_mean'
inner join {{ ref('stg_indicator') }} as indicator
    on indicator.indicator_code = gap.indicator_code
left join {{ ref('mart_target_progress') }} as progress
    on progress.region_code = gap.region_code
    and progress.reference_geography = gap.reference_geography
    and progress.year = gap.year
    and progress.indicator_code = gap.indicator_code
    and progress.edition = gap.scale
    and progress.is_final_target
where gap.scale_kind = 'target'
