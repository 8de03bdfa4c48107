-- The lists of regions: for the geography `reported` as the list stood on each date that a number is about or whose
-- boundaries it is on, for each reference geography as it stood on that one's date; with the parent in force on that
-- date. A parent must be of a higher level: so a mistake in the list can make no circle.
-- In a reference geography a declared union stands in place of its members: at their depth, below their parent, at the
-- level that most of them have, with a government where all of them have one of the same level.
with dates as (
    select 'reported' as reference_geography, as_of_date
    from {{ ref('int_observation__number_series') }}
    where reference_geography = 'reported'

    union

    select 'reported', list_date
    from {{ ref('int_observation__number_series') }}

    union

    select reference_geography, as_of_date
    from {{ source('source', 'reference_geography') }}
    where reference_geography <> 'reported'
),

in_force as (
    select
        dates.reference_geography,
        dates.as_of_date,
        region.region_code,
        identity.region_id,
        region.region_name,
        region.region_name_en,
        region.region_level,
        region.region_depth,
        region.government_level,
        region.is_territory,
        region.parent_code,
        member.union_code,
        member.name_zh as union_name,
        member.name_en as union_name_en
    from dates
    inner join {{ source('source', 'region') }} as region
        on region.valid_from <= dates.as_of_date
        and (region.valid_to is null or region.valid_to > dates.as_of_date)
    left join {{ ref('int_region__identity') }} as identity
        on identity.region_code = region.region_code
        and identity.valid_from <= dates.as_of_date
        and (identity.valid_to is null or identity.valid_to > dates.as_of_date)
    left join {{ source('source', 'region_union') }} as member
        on cast(member.reference_geography as {{ dbt.type_string() }}) = dates.reference_geography
        and member.member_code = region.region_code
),

union_levels as (
    select
        reference_geography, as_of_date, union_code, region_level,
        row_number() over (
            partition by reference_geography, as_of_date, union_code order by count(*) desc, region_level
        ) as place
    from in_force
    where union_code is not null
    group by reference_geography, as_of_date, union_code, region_level
),

unions as (
    select
        reference_geography,
        as_of_date,
        union_code,
        max(union_name) as region_name,
        max(union_name_en) as region_name_en,
        max(region_depth) as region_depth,
        case
            when count(government_level) = count(*) and min(government_level) = max(government_level)
                then max(government_level)
        end as government_level,
        {{ any_true('is_territory') }} as is_territory,
        max(parent_code) as parent_code
    from in_force
    where union_code is not null
    group by reference_geography, as_of_date, union_code
),

listed as (
    select
        reference_geography, as_of_date, region_code, region_id, region_name, region_name_en, region_level, region_depth,
        government_level, is_territory, parent_code
    from in_force
    where union_code is null

    union all

    select
        unions.reference_geography, unions.as_of_date, unions.union_code, unions.union_code, unions.region_name,
        unions.region_name_en, level.region_level, unions.region_depth, unions.government_level,
        unions.is_territory, unions.parent_code
    from unions
    inner join union_levels as level
        on level.reference_geography = unions.reference_geography
        and level.as_of_date = unions.as_of_date
        and level.union_code = unions.union_code
        and level.place = 1
)

select
    child.reference_geography,
    child.as_of_date,
    child.region_code,
    child.region_id,
    child.region_name,
    child.region_name_en,
    child.region_level,
    child.region_depth,
    child.government_level,
    child.is_territory,
    parent.region_code as parent_code,
    parent.region_id as parent_id,
    parent.region_name as parent_name,
    parent.region_name_en as parent_name_en
from listed as child
left join listed as parent
    on parent.reference_geography = child.reference_geography
    and parent.as_of_date = child.as_of_date
    and parent.region_code = child.parent_code
    and parent.region_depth < child.region_depth
