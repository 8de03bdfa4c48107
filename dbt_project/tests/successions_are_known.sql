{{ config(
    meta={'severity': 'block', 'owner': '数据管理 / data steward',
          'why': 'a figure without a way to the regions of a reference geography would be lost on it without a word'},
) }}
with figures as (
    select distinct region_code, period_end
    from {{ ref('stg_observation') }}
    where value is not null
)

select
    geography.reference_geography,
    tree.as_of_date,
    tree.region_code
from {{ source('source', 'reference_geography') }} as geography
inner join {{ ref('int_region__tree') }} as tree
    on tree.reference_geography = 'reported'
    and tree.distance = 0
    and tree.is_leaf
inner join figures
    on figures.region_code = tree.region_code
    and figures.period_end = tree.as_of_date
left join {{ ref('int_region__crosswalk') }} as crosswalk
    on crosswalk.reference_geography = geography.reference_geography
    and crosswalk.as_of_date = tree.as_of_date
    and crosswalk.region_code = tree.region_code
    and crosswalk.is_known
where geography.reference_geography <> 'reported' and geography.is_published
group by geography.reference_geography, tree.as_of_date, tree.region_code
having coalesce(sum(crosswalk.weight), 0) <> 1
