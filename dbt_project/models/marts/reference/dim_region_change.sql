-- Names are those of the last day of the old unit and of the first day of the new one, where the list has them.
with names as (
    select
        region_code,
        region_name,
        row_number() over (partition by region_code order by valid_from) as first_place,
        row_number() over (partition by region_code order by valid_from desc) as last_place
    from {{ ref('stg_region') }}
)

select
    change.from_code,
    change.to_code,
    change.effective_date,
    change.change_kind,
    before.region_name as from_name,
    after.region_name as to_name,
    change.population_share,
    change.share_of_to,
    change.share_source,
    change.is_estimated,
    change.notice
from {{ ref('stg_region_change') }} as change
left join names as before
    on before.region_code = change.from_code
    and before.last_place = 1
left join names as after
    on after.region_code = change.to_code
    and after.first_place = 1
