-- A number that is shown in place of a delivery that is held is provisional (P, the last code in rank) from here on.
-- A population is of a day, and a day of a calendar year; whatever else is reported belongs to the years of its contract.
{% set year_starts = "case when measure.is_population then '01-01' else coalesce(extract.year_starts, '01-01') end" %}
select
    observation.observation_id,
    observation.reading_id,
    observation.receipt_id,
    observation.department,
    observation.extract,
    observation.measure,
    observation.region_code,
    observation.region_name_reported,
    observation.period_start,
    observation.period_end,
    {{ first_day_of_year('observation.period_end', year_starts) }} as year_start,
    {{ year_named(first_day_of_year('observation.period_end', year_starts), 'extract.year_named_by') }} as year,
    observation.population_basis,
    observation.residence,
    observation.sex,
    observation.age_group,
    observation.{{ quoted('group') }} as group_code,
    observation.item,
    {{ exact('observation.value') }} as value,
    observation.unit,
    observation.value_reported,
    observation.unit_reported,
    case
        when
            standing_in.receipt_id is null or observation.value is null or observation.obs_status like '%P%'
            then observation.obs_status
        when coalesce(observation.obs_status, 'A') = 'A' then 'P'
        else {{ dbt.concat(['observation.obs_status', "';P'"]) }}
    end as obs_status,
    coalesce(observation.conf_status, 'F') as conf_status,
    observation.provenance,
    observation.source_file,
    observation.source_sheet,
    observation.source_row,
    observation.source_column,
    observation.delivery_period,
    observation.correction_id,
    -- whose regions it is on: those of its own time (`reported`), or the list at the end of a year, without its unions
    coalesce({{ as_listed('extract.boundaries') }}, 'reported') as boundaries
from {{ source('source', 'observation') }} as observation
left join {{ source('source', 'extract') }} as extract
    on extract.department = observation.department
    and extract.extract = observation.extract
left join {{ source('source', 'measure') }} as measure
    on measure.measure = observation.measure
left join (
    select receipt_id
    from {{ source('source', 'receipt') }}
    where in_place_of is not null
) as standing_in
    on standing_in.receipt_id = observation.receipt_id
