with names as (
    select
        region_code,
        region_name,
        row_number() over (partition by region_code order by valid_from desc) as place
    from {{ source('source', 'region') }}
)

select
    member.group_code,
    member.region_code,
    member.valid_from,
    member.valid_to,
    member.group_name_zh,
    member.group_name_en,
    member.group_kind,
    names.region_name,
    member.source,
    member.edition,
    member.is_verified
from {{ source('source', 'region_group') }} as member
left join names
    on names.region_code = member.region_code
    and names.place = 1
