-- Names are those of the last day of the old unit and of the first day of the new one.
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
from {{ source('source', 'region_change') }} as change
left join {{ source('source', 'region') }} as before
    on before.region_code = change.from_code
    and before.valid_from < change.effective_date
    and (before.valid_to is null or before.valid_to >= change.effective_date)
left join {{ source('source', 'region') }} as after
    on after.region_code = change.to_code
    and after.valid_from <= change.effective_date
    and (after.valid_to is null or after.valid_to > change.effective_date)
