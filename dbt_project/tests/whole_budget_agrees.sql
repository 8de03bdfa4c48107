{{ config(
    meta={'severity': 'warn', 'owner': '财政统计 / fiscal statistics',
          'why': 'the one figure is shown; what it has more or less is attributed to neither urban nor rural residents'},
) }}
-- the one figure is printed to a unit of its own: half a hundredth of a per cent is rounding
select
    whole.region_code, whole.year, whole.fund, whole.account_stage,
    whole.value as reported,
    functional.value as sum_of_functional
from {{ ref('int_spending__choose_whole') }} as whole
inner join {{ ref('int_spending__add_levels') }} as functional
    on functional.region_code = whole.region_code
    and functional.reference_geography = whole.reference_geography
    and functional.year = whole.year
    and functional.fund = whole.fund
    and functional.account_stage = whole.account_stage
    and functional.residence = whole.residence
    and functional.domain = whole.domain
    and functional.government_level = whole.government_level
where
    whole.reference_geography = 'reported'
    and whole.origin = 'whole'
    and whole.residence = 'total'
    and abs(whole.value - functional.value) > 0.00005 * abs(whole.value)
