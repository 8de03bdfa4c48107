-- Every file received, what became of it, and how much of it still counts.
with observations as (
    select
        observation.receipt_id,
        count(*) as observations,
        count(case when ranked.is_latest then 1 end) as observations_latest,
        count(case when ranked.is_chosen then 1 end) as observations_chosen
    from {{ ref('stg_observation') }} as observation
    inner join {{ ref('int_observation__rank_vintages') }} as ranked
        on ranked.observation_id = observation.observation_id
    group by observation.receipt_id
),

rejects as (
    select
        receipt_id,
        count(*) as rejects,
        count(case when is_known then 1 end) as rejects_known
    from {{ source('source', 'reject') }}
    group by receipt_id
)

select
    receipt.receipt_id,
    receipt.department,
    receipt.extract,
    extract.name_zh as extract_name_zh,
    extract.name_en as extract_name_en,
    receipt.delivery_period,
    receipt.file_name,
    receipt.landing_path,
    receipt.sha256,
    receipt.size_bytes,
    receipt.received_at,
    receipt.sequence,
    receipt.is_in_force,
    receipt.is_held,
    receipt.held_since,
    receipt.held_because,
    receipt.in_place_of,
    reading.reading_id,
    case when receipt.is_withdrawal then 'withdrawn' else coalesce(reading.status, 'not_read') end as reading_status,
    nullif(reading.problem, '') as problem,
    cast(coalesce(observations.observations, 0) as integer) as observations,
    cast(coalesce(observations.observations_latest, 0) as integer) as observations_latest,
    cast(coalesce(observations.observations_chosen, 0) as integer) as observations_chosen,
    cast(coalesce(rejects.rejects, 0) as integer) as rejects,
    cast(coalesce(rejects.rejects_known, 0) as integer) as rejects_known,
    extract.provenance,
    extract.publisher,
    extract.source_title,
    extract.license,
    extract.contract_version,
    reading.contract_hash
from {{ source('source', 'receipt') }} as receipt
left join {{ source('source', 'reading') }} as reading
    on reading.receipt_id = receipt.receipt_id
left join {{ source('source', 'extract') }} as extract
    on extract.department = receipt.department
    and extract.extract = receipt.extract
left join observations
    on observations.receipt_id = receipt.receipt_id
left join rejects
    on rejects.receipt_id = receipt.receipt_id
