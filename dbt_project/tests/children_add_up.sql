{{ config(
    meta={'severity': 'warn', 'owner': '数据管理 / data steward',
          'why': 'a difference is a missing region, a different definition or a mistake of the source'},
) }}
-- only where every region below has a value on that date; spending of a government's own level is not meant to add up;
-- a re-based figure repeats what is reported or is summed itself
with figures as (
    select * from {{ ref('int_observation__roll_up') }}
    where aggregation = 'whole' and reference_geography = 'reported'
),

children as (
    select as_of_date, parent_code, count(*) as children
    from {{ ref('int_region__date') }}
    where parent_code is not null and reference_geography = 'reported' and is_territory
    group by as_of_date, parent_code
),

sums as (
    select
        child.series_number, region.parent_code, child.period_end,
        sum(child.value) as value,
        count(child.value) as found
    from figures as child
    inner join {{ ref('int_region__date') }} as region
        on region.reference_geography = child.reference_geography
        and region.as_of_date = child.as_of_date
        and region.region_code = child.region_code
    where region.parent_code is not null and region.is_territory
    group by child.series_number, region.parent_code, child.period_end
)

select
    parent.measure, parent.region_code, parent.period_end, parent.population_basis, parent.residence, parent.sex,
    parent.age_group, parent.group_code, parent.item,
    parent.value as reported,
    sums.value as sum_of_children,
    parent.value - sums.value as difference
from figures as parent
inner join sums
    on sums.series_number = parent.series_number
    and sums.parent_code = parent.region_code
inner join children
    on children.as_of_date = sums.period_end
    and children.parent_code = sums.parent_code
    and children.children = sums.found
where parent.derivation = 'reported' and parent.value <> sums.value
