{{ config(
    meta={'severity': 'warn', 'owner': '财政统计 / fiscal statistics',
          'why': 'classes that are declared to be all there are do not make the one figure that is reported of the whole'},
) }}
-- whichever of both is shown; the one figure is printed to a unit of its own: half a hundredth of a per cent is rounding
with whole as (
    select
        figure.region_code, figure.year, figure.year_start, source.fund, source.account_stage, figure.measure,
        figure.value
    from {{ ref('int_observation__select_years') }} as figure
    inner join {{ ref('stg_spending_source') }} as source
        on source.measure = figure.measure
        and source.role = 'whole'
    where
        figure.reference_geography = 'reported'
        and figure.residence = 'total'
        and figure.sex = 'all'
        and figure.age_group = 'all'
        and figure.group_code = 'all'
        and figure.item = 'all'
)

select
    whole.region_code, whole.year, whole.fund, whole.account_stage, whole.measure,
    whole.value as reported,
    functional.value as sum_of_functional
from whole
inner join {{ ref('int_spending__add_levels') }} as functional
    on functional.region_code = whole.region_code
    and functional.year_start = whole.year_start
    and functional.fund = whole.fund
    and functional.account_stage = whole.account_stage
where
    functional.reference_geography = 'reported'
    and functional.residence = 'total'
    and functional.domain = 'all'
    and functional.government_level = 'all'
    and abs(whole.value - functional.value) > 0.00005 * abs(whole.value)
