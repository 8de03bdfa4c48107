-- Which of several reports of the same figure counts.
--   latest: within an extract. A receipt that a later file at the same place has replaced never is. Where deliveries
--           replace all, only the last readable one counts (a file nobody can read must not empty the extract: it is
--           blocked elsewhere); else the last delivery that holds the figure does.
--   chosen: across extracts, among the latest: a number before a gap, then the lower rank of the contract.
with last_delivery as (
    select receipt_id
    from (
        select
            receipt.receipt_id,
            row_number() over (
                partition by receipt.department, receipt.extract
                order by receipt.delivery_period desc, receipt.sequence desc
            ) as place
        from {{ ref('stg_receipt') }} as receipt
        inner join {{ ref('stg_reading') }} as reading
            on reading.receipt_id = receipt.receipt_id
            and reading.status = 'read'
        where receipt.is_in_force
    ) as deliveries
    where place = 1
),

keyed as (
    select
        observation.observation_id,
        observation.department,
        observation.extract,
        observation.source_file,
        observation.source_sheet,
        observation.source_row,
        observation.source_column,
        observation.value,
        receipt.delivery_period,
        receipt.sequence,
        coalesce(extract.extract_rank, 2147483647) as extract_rank,
        receipt.is_in_force
            and (coalesce(extract.delivery, '') <> 'replaces_all' or last_delivery.receipt_id is not null)
            as is_eligible,
        {{ series_key('observation.') }} as series_key,
        observation.region_code
    from {{ ref('stg_observation') }} as observation
    inner join {{ ref('stg_receipt') }} as receipt
        on receipt.receipt_id = observation.receipt_id
    left join {{ ref('stg_extract') }} as extract
        on extract.department = observation.department
        and extract.extract = observation.extract
    left join last_delivery
        on last_delivery.receipt_id = observation.receipt_id
),

latest as (
    select
        *,
        is_eligible and row_number() over (
            partition by department, extract, region_code, series_key, is_eligible
            order by
                delivery_period desc, sequence desc, source_file, source_sheet, source_row, source_column,
                observation_id
        ) = 1 as is_latest
    from keyed
),

placed as (
    select
        *,
        row_number() over (
            partition by region_code, series_key, is_latest
            order by case when value is null then 1 else 0 end, extract_rank, department, extract
        ) as place
    from latest
)

select
    observation_id,
    series_key,
    {{ observation_key() }} as observation_key,
    extract_rank,
    is_latest,
    is_latest and place = 1 as is_chosen
from placed
