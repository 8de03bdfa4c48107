-- The home region and the regions below it, on the list that the newest figures of the lowest level are about: the regions
-- that pages and comparisons are made for. `founded` is the day on which the territory began; empty where it is as old as
-- the list of its level.
with newest as (
    select boundaries, boundaries_date
    from (
        select
            boundaries,
            boundaries_date,
            row_number() over (order by region_depth desc, boundaries_date desc, boundaries) as place
        from {{ ref('figure') }}
        where variant = 'main' and value is not null
    ) as placed
    where place = 1
),

listed as (
    select region.*, tree.distance
    from {{ ref('int_region__date') }} as region
    inner join newest
        on newest.boundaries = region.reference_geography
        and newest.boundaries_date = region.as_of_date
    inner join {{ ref('int_region__tree') }} as tree
        on tree.reference_geography = region.reference_geography
        and tree.as_of_date = region.as_of_date
        and tree.region_code = region.region_code
    inner join {{ ref('stg_setting') }} as setting
        on setting.home_region = tree.ancestor_code
),

begun as (
    select region_id, min(valid_from) as first_day
    from {{ ref('int_region__identity') }}
    group by region_id
),

oldest as (
    select listed.region_depth, min(begun.first_day) as first_day
    from listed
    inner join begun
        on begun.region_id = listed.region_id
    group by listed.region_depth
)

select
    listed.region_id,
    listed.region_code,
    listed.region_name,
    coalesce(listed.region_name_en, listed.region_name) as region_name_en,
    listed.region_level,
    listed.region_depth,
    case when listed.distance > 0 then listed.parent_id end as parent_id,
    case when listed.distance > 0 then listed.parent_code end as parent_code,
    case when listed.distance > 0 then listed.parent_name end as parent_name,
    case when listed.distance > 0 then listed.parent_name_en end as parent_name_en,
    coalesce(listed.is_territory, true) as is_territory,
    case when begun.first_day > oldest.first_day then begun.first_day end as founded
from listed
left join begun
    on begun.region_id = listed.region_id
left join oldest
    on oldest.region_depth = listed.region_depth
