-- Which of several reports of the same figure (region and series) counts.
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
        from {{ source('source', 'receipt') }} as receipt
        inner join {{ source('source', 'reading') }} as reading
            on reading.receipt_id = receipt.receipt_id
            and reading.status = 'read'
        where receipt.is_in_force
    ) as deliveries
    where place = 1
),

-- one row per receipt: its standing, and a number for its extract
deliveries as (
    select
        receipt.receipt_id,
        receipt.department,
        receipt.extract,
        dense_rank() over (order by receipt.department, receipt.extract) as extract_number,
        row_number() over (order by receipt.delivery_period desc, receipt.sequence desc) as delivery_place,
        coalesce(extract.extract_rank, 2147483647) as extract_rank,
        receipt.is_in_force
            and (coalesce(extract.delivery, '') <> 'replaces_all' or last_delivery.receipt_id is not null)
            as is_eligible
    from {{ source('source', 'receipt') }} as receipt
    left join {{ source('source', 'extract') }} as extract
        on extract.department = receipt.department
        and extract.extract = receipt.extract
    left join last_delivery
        on last_delivery.receipt_id = receipt.receipt_id
),

keyed as (
    select
        observation.observation_id,
        observation.region_code,
        series.series_number,
        observation.value,
        observation.obs_status,
        observation.provenance,
        deliveries.extract_number,
        deliveries.delivery_place,
        deliveries.extract_rank,
        deliveries.is_eligible
    from {{ ref('stg_observation') }} as observation
    inner join deliveries
        on deliveries.receipt_id = observation.receipt_id
    inner join {{ ref('int_observation__number_series') }} as series
        -- null-safe: an observation that lacks a dimension must not get lost
        on series.reference_geography = 'reported'
        and series.derived = 'none'
        {% for column in series_dimensions() %}
        and series.{{ column }} is not distinct from observation.{{ column }}
        {% endfor %}
),

latest as (
    select
        *,
        is_eligible and row_number() over (
            partition by series_number, region_code, extract_number, is_eligible
            order by delivery_place, observation_id
        ) = 1 as is_latest
    from keyed
),

placed as (
    select
        *,
        row_number() over (
            partition by series_number, region_code, is_latest
            order by case when value is null then 1 else 0 end, extract_rank, extract_number
        ) as place
    from latest
)

select
    observation_id,
    region_code,
    series_number,
    value,
    obs_status,
    provenance,
    extract_rank,
    is_latest,
    is_latest and place = 1 as is_chosen
from placed
