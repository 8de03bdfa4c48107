-- Every version of every region, and each union that stands in place of its members in a reference geography. A union
-- is a way to compare, no unit of administration: it begins with the oldest of its members and has no last day.
with unions as (
    select
        member.union_code,
        min(version.valid_from) over (partition by member.union_code) as valid_from,
        member.name_zh,
        member.name_en,
        region.region_level,
        region.region_depth,
        region.government_level,
        region.is_territory,
        region.parent_code,
        member.reason,
        row_number() over (
            partition by member.union_code
            order by member.reference_geography desc, member.member_code, version.valid_from
        ) as place
    from {{ ref('stg_region_union') }} as member
    inner join {{ ref('int_region__date') }} as region
        on region.reference_geography = member.reference_geography
        and region.region_code = member.union_code
    inner join {{ ref('stg_region') }} as version
        on version.region_code = member.member_code
)

select
    region_code,
    valid_from,
    valid_to,
    region_name,
    region_name_en,
    region_level,
    region_depth,
    government_level,
    is_territory,
    parent_code,
    valid_to is null as is_in_force,
    false as is_union,
    code_origin
from {{ ref('stg_region') }}

union all

select
    union_code as region_code,
    valid_from,
    cast(null as date) as valid_to,
    name_zh as region_name,
    name_en as region_name_en,
    region_level,
    region_depth,
    government_level,
    is_territory,
    parent_code,
    true as is_in_force,
    true as is_union,
    reason as code_origin
from unions
where place = 1
