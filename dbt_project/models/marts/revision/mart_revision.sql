-- What later files changed: each reported figure whose value in force became another one, with both values and the
-- receipt that caused it. Vintages here are receipts of one extract, in the order in which they came in; a file that
-- came late but is about an earlier delivery period than the one in force revises nothing. A figure that its file no
-- longer has, or whose file was taken back, falls back to what is left of it.
with replaced as (
    select series_number, region_code
    from {{ ref('int_observation__rank_vintages') }}
    group by series_number, region_code
    having max(case when is_latest then 0 else 1 end) = 1
),

candidates as (
    select
        ranked.observation_id,
        ranked.series_number,
        ranked.region_code,
        observation.department,
        observation.extract,
        observation.receipt_id,
        observation.correction_id,
        observation.obs_status,
        observation.provenance,
        observation.unit,
        ranked.value,
        ranked.is_latest,
        receipt.delivery_period,
        receipt.sequence,
        receipt.landing_path
    from {{ ref('int_observation__rank_vintages') }} as ranked
    inner join replaced
        on replaced.series_number = ranked.series_number
        and replaced.region_code = ranked.region_code
    inner join {{ ref('stg_observation') }} as observation
        on observation.observation_id = ranked.observation_id
    inner join {{ source('source', 'receipt') }} as receipt
        on receipt.receipt_id = observation.receipt_id
),

-- what came after each file: the next at its place; and where deliveries replace all, the last that could be read
successors as (
    select
        earlier.receipt_id,
        later.receipt_id as successor_id,
        later.sequence,
        later.is_withdrawal,
        row_number() over (partition by earlier.receipt_id order by later.sequence) as place
    from {{ source('source', 'receipt') }} as earlier
    inner join {{ source('source', 'receipt') }} as later
        on later.department = earlier.department
        and later.extract = earlier.extract
        and later.landing_path = earlier.landing_path
        and later.sequence > earlier.sequence
        -- what failed its checks never counted, so it replaced nothing
        and later.held_because is null
),

last_deliveries as (
    select
        receipt.department,
        receipt.extract,
        receipt.receipt_id,
        receipt.sequence,
        row_number() over (
            partition by receipt.department, receipt.extract
            order by receipt.delivery_period desc, receipt.sequence desc
        ) as place
    from {{ source('source', 'receipt') }} as receipt
    inner join {{ source('source', 'reading') }} as reading
        on reading.receipt_id = receipt.receipt_id
        and reading.status = 'read'
    inner join {{ source('source', 'extract') }} as extract
        on extract.department = receipt.department
        and extract.extract = receipt.extract
        and extract.delivery = 'replaces_all'
    where receipt.is_in_force
),

arrivals as (
    select
        *,
        max(delivery_period) over (
            partition by series_number, region_code, department, extract
            order by sequence, observation_id
            rows between unbounded preceding and 1 preceding
        ) as period_in_force
    from candidates
),

effective as (
    select *
    from arrivals
    where period_in_force is null or delivery_period >= period_in_force
),

gone as (
    select
        effective.*,
        coalesce(successors.successor_id, last_deliveries.receipt_id) as cause_id,
        coalesce(successors.sequence, last_deliveries.sequence) as cause_sequence,
        coalesce(successors.is_withdrawal, false) as is_withdrawal
    from effective
    left join successors
        on successors.receipt_id = effective.receipt_id
        and successors.place = 1
    left join last_deliveries
        on last_deliveries.department = effective.department
        and last_deliveries.extract = effective.extract
        and last_deliveries.place = 1
        and last_deliveries.sequence > effective.sequence
    left join candidates as again
        on again.series_number = effective.series_number
        and again.region_code = effective.region_code
        and again.receipt_id = coalesce(successors.successor_id, last_deliveries.receipt_id)
    where
        coalesce(successors.successor_id, last_deliveries.receipt_id) is not null
        and again.observation_id is null
),

events as (
    select
        series_number, region_code, department, extract, sequence, 1 as step, observation_id, receipt_id,
        correction_id, value, obs_status, provenance, unit, landing_path, 'delivered' as kind
    from effective

    union all

    select
        gone.series_number, gone.region_code, gone.department, gone.extract, gone.cause_sequence, 2,
        gone.observation_id, gone.cause_id, cast(null as string), remaining.value,
        coalesce(remaining.obs_status, 'O'), gone.provenance, gone.unit, gone.landing_path,
        case when gone.is_withdrawal then 'withdrawn' else 'removed' end
    from gone
    left join candidates as remaining
        on remaining.is_latest
        and remaining.series_number = gone.series_number
        and remaining.region_code = gone.region_code
        and remaining.department = gone.department
        and remaining.extract = gone.extract
        and remaining.sequence < gone.cause_sequence
),

steps as (
    select
        *,
        lag(value) over (
            partition by series_number, region_code, department, extract order by sequence, step, observation_id
        ) as value_before,
        lag(receipt_id) over (
            partition by series_number, region_code, department, extract order by sequence, step, observation_id
        ) as receipt_before,
        lag(landing_path) over (
            partition by series_number, region_code, department, extract order by sequence, step, observation_id
        ) as path_before
    from events
)

select
    'fct_observation' as table_name,
    {{ figure_key('steps', 'series') }} as row_key,
    'receipt' as vintage_kind,
    steps.receipt_before as vintage_before,
    steps.receipt_id as vintage_after,
    steps.department,
    steps.extract,
    series.measure,
    steps.region_code,
    series.year,
    {{ period_name('series.period_start', 'series.period_end', 'series.year_start') }} as period_name,
    steps.value_before,
    steps.value as value_after,
    {{ exact('steps.value - steps.value_before') }} as difference,
    100e0 * {{ divide('steps.value - steps.value_before', 'abs(steps.value_before)') }} as revision_pct,
    steps.unit,
    case
        when steps.kind <> 'delivered' then steps.kind
        when steps.correction_id is not null then 'corrected'
        when steps.path_before = steps.landing_path then 'overwritten'
        else 'later_delivery'
    end as cause,
    steps.receipt_id,
    {{ ranked_status("coalesce(steps.obs_status, '')", 'steps.value') }} as obs_status,
    'F' as conf_status,
    steps.provenance
from steps
inner join {{ ref('int_observation__number_series') }} as series
    on series.series_number = steps.series_number
where
    steps.receipt_before is not null
    and (
        steps.value <> steps.value_before
        or (steps.value is null and steps.value_before is not null)
        or (steps.value is not null and steps.value_before is null)
    )
