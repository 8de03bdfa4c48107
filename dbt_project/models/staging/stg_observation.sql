-- A number that is shown in place of a delivery that is held is provisional (P, the last code in rank) from here on.
select
    observation_id,
    reading_id,
    receipt_id,
    department,
    extract,
    measure,
    region_code,
    region_name_reported,
    period_start,
    period_end,
    cast(year(period_end) as integer) as year,
    population_basis,
    residence,
    sex,
    age_group,
    {{ quoted('group') }} as group_code,
    item,
    {{ exact('value') }} as value,
    unit,
    value_reported,
    unit_reported,
    case
        when standing_in.receipt_standing_in is null or value is null or obs_status like '%P%' then obs_status
        when coalesce(obs_status, 'A') = 'A' then 'P'
        else {{ dbt.concat(['obs_status', "';P'"]) }}
    end as obs_status,
    coalesce(conf_status, 'F') as conf_status,
    provenance,
    source_file,
    source_sheet,
    source_row,
    source_column,
    delivery_period,
    correction_id
from {{ source('source', 'observation') }}
left join (
    select receipt_id as receipt_standing_in
    from {{ source('source', 'receipt') }}
    where in_place_of is not null
) as standing_in
    on standing_in.receipt_standing_in = receipt_id
