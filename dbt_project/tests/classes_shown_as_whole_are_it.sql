{{ config(
    meta={'severity': 'block', 'blocks': 'table', 'owner': '财政统计 / fiscal statistics',
          'why': 'a sum of classes would be shown as all spending while another figure is reported of the whole'},
) }}
-- where the sum ranks before the one figure; half a hundredth of a per cent is rounding
select
    shown.region_code, shown.year, shown.fund, shown.account_stage,
    shown.value as sum_of_functional,
    series.measure,
    figure.value as reported
from {{ ref('int_spending__choose_whole') }} as shown
inner join {{ ref('stg_spending_source') }} as source
    on source.fund = shown.fund
    and source.account_stage = shown.account_stage
    and source.role = 'whole'
inner join {{ ref('int_observation__number_series') }} as series
    on series.measure = source.measure
    and series.reference_geography = 'reported'
    and series.year_start = shown.year_start
    and series.residence = shown.residence
    and series.sex = 'all'
    and series.age_group = 'all'
    and series.group_code = 'all'
    and series.item = 'all'
inner join {{ ref('int_indicator__consolidate_levels') }} as figure
    on figure.series_number = series.series_number
    and figure.region_code = shown.region_code
where
    shown.reference_geography = 'reported'
    and shown.origin = 'functional'
    and shown.domain = 'all'
    and shown.government_level = 'all'
    and shown.residence = 'total'
    and abs(figure.value - shown.value) > 0.00005 * abs(figure.value)
