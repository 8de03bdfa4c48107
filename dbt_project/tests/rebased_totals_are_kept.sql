{{ config(
    meta={'severity': 'block', 'owner': '数据管理 / data steward',
          'why': 're-basing moves people and money between regions; it must neither make nor lose any'},
) }}
-- below each region whose land is the same on both lists, wherever everything below it has a figure on both: every leaf,
-- or every government where figures are of a government's own level
with governments as (
    select tree.reference_geography, tree.as_of_date, tree.ancestor_code, count(*) as governments
    from {{ ref('int_region__tree') }} as tree
    inner join {{ ref('int_region__date') }} as region
        on region.reference_geography = tree.reference_geography
        and region.as_of_date = tree.as_of_date
        and region.region_code = tree.region_code
    where tree.distance > 0 and region.government_level is not null
    group by tree.reference_geography, tree.as_of_date, tree.ancestor_code
),

totals as (
    select
        series.reported_series_number,
        series.reference_geography,
        tree.ancestor_code,
        sum(figure.value) as value
    from {{ ref('int_observation__roll_up') }} as figure
    inner join {{ ref('int_observation__number_series') }} as series
        on series.series_number = figure.series_number
        and series.aggregation <> 'none'
    inner join {{ ref('int_region__tree') }} as tree
        on tree.reference_geography = figure.reference_geography
        and tree.as_of_date = figure.as_of_date
        and tree.region_code = figure.region_code
        and tree.distance > 0
        and (tree.is_leaf or series.aggregation = 'own_level')
    left join governments
        on governments.reference_geography = tree.reference_geography
        and governments.as_of_date = tree.as_of_date
        and governments.ancestor_code = tree.ancestor_code
    group by series.reported_series_number, series.reference_geography, series.aggregation, tree.ancestor_code
    having count(figure.value) = case
        when series.aggregation = 'own_level' then max(governments.governments) else max(tree.ancestor_leaves)
    end
)

select
    series.measure, series.period_end, series.population_basis, series.residence, series.sex, series.age_group,
    series.group_code, series.item,
    rebased.reference_geography, rebased.ancestor_code as region_code,
    reported.value as reported, rebased.value as rebased
from totals as rebased
inner join totals as reported
    on reported.reported_series_number = rebased.reported_series_number
    and reported.ancestor_code = rebased.ancestor_code
    and reported.reference_geography = 'reported'
inner join {{ ref('int_observation__number_series') }} as series
    on series.series_number = reported.reported_series_number
inner join {{ ref('int_region__crosswalk') }} as crosswalk
    on crosswalk.reference_geography = rebased.reference_geography
    and crosswalk.as_of_date = series.list_date
    and crosswalk.region_code = rebased.ancestor_code
    and crosswalk.to_code = rebased.ancestor_code
    and crosswalk.sources = 1
where rebased.reference_geography <> 'reported' and rebased.value <> reported.value
