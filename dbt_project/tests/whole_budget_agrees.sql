{{ config(
    meta={'severity': 'warn', 'owner': '财政统计 / fiscal statistics',
          'why': 'classes that are declared to be all there are do not make the one figure that is reported of the whole'},
) }}
-- whichever of both is shown; the one figure is printed to a unit of its own: half a hundredth of a per cent is rounding
select
    figure.region_code, series.year, source.fund, source.account_stage, series.measure,
    figure.value as reported,
    functional.value as sum_of_functional
from {{ ref('int_indicator__consolidate_levels') }} as figure
inner join {{ ref('int_observation__number_series') }} as series
    on series.series_number = figure.series_number
    and series.reference_geography = 'reported'
    and series.residence = 'total'
    and series.sex = 'all'
    and series.age_group = 'all'
    and series.group_code = 'all'
    and series.item = 'all'
inner join {{ ref('stg_spending_source') }} as source
    on source.measure = series.measure
    and source.role = 'whole'
inner join {{ ref('int_spending__add_levels') }} as functional
    on functional.region_code = figure.region_code
    and functional.reference_geography = 'reported'
    and functional.year_start = series.year_start
    and functional.fund = source.fund
    and functional.account_stage = source.account_stage
    and functional.residence = 'total'
    and functional.domain = 'all'
    and functional.government_level = 'all'
where abs(figure.value - functional.value) > 0.00005 * abs(figure.value)
