-- The regions that stand together in a reference geography because they can only be compared together.
select
    geography.reference_geography,
    member.union_code,
    member.member_code,
    member.name_zh as union_name,
    member.name_en as union_name_en,
    region.region_name as member_name,
    member.reason
from {{ source('source', 'region_union') }} as member
inner join {{ source('source', 'reference_geography') }} as geography
    on geography.reference_geography = cast(member.reference_geography as {{ dbt.type_string() }})
    and geography.is_published
left join {{ source('source', 'region') }} as region
    on region.region_code = member.member_code
    and region.valid_from <= geography.as_of_date
    and (region.valid_to is null or region.valid_to > geography.as_of_date)
