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
    from {{ source('source', 'region_union') }} as member
    inner join {{ ref('int_region__date') }} as region
        on region.reference_geography = cast(member.reference_geography as {{ dbt.type_string() }})
        and region.region_code = member.union_code
    inner join {{ source('source', 'region') }} as version
        on version.region_code = member.member_code
)

-- a version that its land changed under stands for one territory after another
select
    region.region_code,
    greatest(region.valid_from, identity.valid_from) as valid_from,
    case
        when region.valid_to is null or identity.valid_to < region.valid_to then identity.valid_to
        else region.valid_to
    end as valid_to,
    identity.region_id,
    region.region_name,
    region.region_name_en,
    region.region_level,
    region.region_depth,
    region.government_level,
    region.is_territory,
    region.parent_code,
    identity.valid_to is null and region.valid_to is null as is_in_force,
    false as is_union,
    region.code_origin
from {{ source('source', 'region') }} as region
inner join {{ ref('int_region__identity') }} as identity
    on identity.region_code = region.region_code
    and (region.valid_to is null or identity.valid_from < region.valid_to)
    and (identity.valid_to is null or identity.valid_to > region.valid_from)

union all

select
    union_code as region_code,
    valid_from,
    cast(null as date) as valid_to,
    union_code as region_id,
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
