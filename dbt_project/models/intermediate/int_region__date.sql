-- The lists of regions: for the geography `reported` as the list stood on each date that a number is about, for each
-- reference geography as it stood on that one's date; with the parent in force on that date. A parent must be of a higher level: so a mistake in the list can make no circle.
with dates as (
    select distinct 'reported' as reference_geography, period_end as as_of_date
    from {{ ref('stg_observation') }}

    union all

    select reference_geography, as_of_date
    from {{ ref('stg_reference_geography') }}
),

in_force as (
    select
        dates.reference_geography,
        dates.as_of_date,
        region.region_code,
        region.region_name,
        region.region_level,
        region.region_depth,
        region.government_level,
        region.parent_code
    from dates
    inner join {{ ref('stg_region') }} as region
        on region.valid_from <= dates.as_of_date
        and (region.valid_to is null or region.valid_to > dates.as_of_date)
)

select
    child.reference_geography,
    child.as_of_date,
    child.region_code,
    child.region_name,
    child.region_level,
    child.region_depth,
    child.government_level,
    parent.region_code as parent_code
from in_force as child
left join in_force as parent
    on parent.reference_geography = child.reference_geography
    and parent.as_of_date = child.as_of_date
    and parent.region_code = child.parent_code
    and parent.region_depth < child.region_depth
