-- Every reported number, latest or not. The region's name is the one in force when the number was about, else, for a
-- series told back under a later code, the nearest one known.
with versions as (
    select
        observation.region_code,
        observation.period_end,
        region.region_name,
        region.region_level,
        region.region_depth,
        row_number() over (
            partition by observation.region_code, observation.period_end
            order by
                case
                    when region.valid_from <= observation.period_end
                        and (region.valid_to is null or region.valid_to > observation.period_end) then 0
                    when region.valid_from > observation.period_end then 1
                    else 2
                end,
                case when region.valid_from > observation.period_end then region.valid_from end,
                region.valid_from desc
        ) as place
    from (select distinct region_code, period_end from {{ ref('stg_observation') }}) as observation
    inner join {{ source('source', 'region') }} as region
        on region.region_code = observation.region_code
)

select
    observation.observation_id,
    observation.department,
    observation.extract,
    observation.measure,
    measure.name_zh as measure_name_zh,
    measure.name_en as measure_name_en,
    observation.region_code,
    versions.region_name,
    versions.region_level,
    versions.region_depth,
    observation.region_name_reported,
    observation.period_start,
    observation.period_end,
    observation.year,
    observation.year_start,
    {{ period_name('observation.period_start', 'observation.period_end', 'observation.year_start') }} as period_name,
    replace(observation.boundaries, ' as listed', '') as boundaries,
    observation.population_basis,
    coalesce(measure.population_source, 'none') as population_source,
    observation.residence,
    observation.sex,
    observation.age_group,
    observation.group_code as {{ quoted('group') }},
    observation.item,
    observation.value,
    observation.unit,
    observation.value_reported,
    observation.unit_reported,
    observation.obs_status,
    observation.conf_status,
    observation.provenance,
    ranked.extract_rank,
    ranked.is_latest,
    ranked.is_chosen,
    observation.receipt_id,
    observation.reading_id,
    observation.delivery_period,
    observation.source_file,
    observation.source_sheet,
    observation.source_row,
    observation.source_column,
    observation.correction_id
from {{ ref('stg_observation') }} as observation
inner join {{ ref('int_observation__rank_vintages') }} as ranked
    on ranked.observation_id = observation.observation_id
left join {{ source('source', 'measure') }} as measure
    on measure.measure = observation.measure
left join versions
    on versions.region_code = observation.region_code
    and versions.period_end = observation.period_end
    and versions.place = 1
