{{ config(
    meta={'severity': 'block', 'blocks': 'table', 'owner': '财政统计 / fiscal statistics',
          'why': 'a sum of classes would be shown as all spending while another figure is reported of the whole'},
) }}
-- where the sum ranks before the one figure; half a hundredth of a per cent is rounding
select
    shown.region_code, shown.year, shown.fund, shown.account_stage,
    shown.value as sum_of_functional,
    whole.measure,
    whole.value as reported
from {{ ref('int_spending__choose_whole') }} as shown
inner join {{ ref('stg_spending_source') }} as source
    on source.fund = shown.fund
    and source.account_stage = shown.account_stage
    and source.role = 'whole'
inner join {{ ref('int_observation__select_years') }} as whole
    on whole.measure = source.measure
    and whole.region_code = shown.region_code
    and whole.reference_geography = shown.reference_geography
    and whole.year_start = shown.year_start
    and whole.residence = shown.residence
where
    shown.reference_geography = 'reported'
    and shown.origin = 'functional'
    and shown.domain = 'all'
    and shown.government_level = 'all'
    and shown.residence = 'total'
    and whole.sex = 'all'
    and whole.age_group = 'all'
    and whole.group_code = 'all'
    and whole.item = 'all'
    and abs(whole.value - shown.value) > 0.00005 * abs(whole.value)
