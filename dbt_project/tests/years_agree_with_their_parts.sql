{{ config(
    meta={'severity': 'warn', 'owner': '数据管理 / data steward',
          'why': 'a year that is reported is shown; its months, quarters or halves say something else'},
) }}
select
    series.measure, figure.region_code, series.year, series.period_end, series.population_basis, series.residence,
    series.sex, series.age_group, series.group_code, series.item,
    figure.value as reported,
    years.value as sum_of_parts,
    figure.value - years.value as difference
from {{ ref('int_observation__sum_years') }} as years
inner join {{ ref('int_observation__sum_regions') }} as figure
    on figure.series_number = years.series_number
    and figure.region_code = years.region_code
inner join {{ ref('int_observation__number_series') }} as series
    on series.series_number = years.series_number
where series.reference_geography = 'reported' and years.is_complete and figure.value <> years.value
