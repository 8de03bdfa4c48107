{{ config(
    meta={'severity': 'warn', 'owner': '数据管理 / data steward',
          'why': 'the figure of the better rank is shown; the difference has to be explained'},
) }}
with chosen as (
    select observation.*, ranked.series_number
    from {{ ref('stg_observation') }} as observation
    inner join {{ ref('int_observation__rank_vintages') }} as ranked
        on ranked.observation_id = observation.observation_id
    where ranked.is_chosen
),

others as (
    select observation.*, ranked.series_number
    from {{ ref('stg_observation') }} as observation
    inner join {{ ref('int_observation__rank_vintages') }} as ranked
        on ranked.observation_id = observation.observation_id
    where ranked.is_latest and not ranked.is_chosen
)

select
    chosen.measure, chosen.region_code, chosen.period_end, chosen.population_basis, chosen.residence, chosen.sex,
    chosen.age_group, chosen.group_code, chosen.item,
    chosen.department, chosen.extract, chosen.value,
    others.department as other_department, others.extract as other_extract, others.value as other_value
from chosen
inner join others
    on others.series_number = chosen.series_number
    and others.region_code = chosen.region_code
where chosen.value <> others.value
