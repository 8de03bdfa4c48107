-- The regions that stand together in a reference geography because they can only be compared together.
select
    member.reference_geography,
    member.union_code,
    member.member_code,
    member.name_zh as union_name,
    member.name_en as union_name_en,
    region.region_name as member_name,
    member.reason
from {{ ref('stg_region_union') }} as member
inner join {{ ref('stg_reference_geography') }} as geography
    on geography.reference_geography = member.reference_geography
    and geography.is_published
left join {{ ref('stg_region') }} as region
    on region.region_code = member.member_code
    and region.valid_from <= geography.as_of_date
    and (region.valid_to is null or region.valid_to > geography.as_of_date)
