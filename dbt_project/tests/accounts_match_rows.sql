{{ config(
    meta={'severity': 'block', 'owner': '数据管理 / data steward',
          'why': 'a row that is counted but not stored is lost'},
) }}
-- Of a delivery that failed its checks the account is kept and no figure is stored.
with accounts as (
    select
        account.reading_id,
        account.source_file,
        sum(
            case when receipt.held_because is null then account.values_accepted + account.values_missing else 0 end
        ) as observations,
        sum(account.rows_ignored) as ignored
    from {{ source('source', 'tie_out') }} as account
    left join {{ source('source', 'receipt') }} as receipt
        on receipt.receipt_id = account.receipt_id
    group by account.reading_id, account.source_file
),

observations as (
    select reading_id, source_file, count(*) as stored
    from {{ ref('stg_observation') }}
    group by reading_id, source_file
),

ignored as (
    select reading_id, source_file, count(*) as stored
    from {{ source('source', 'ignored') }}
    group by reading_id, source_file
)

select
    accounts.reading_id,
    accounts.source_file,
    accounts.observations,
    coalesce(observations.stored, 0) as observations_stored,
    accounts.ignored,
    coalesce(ignored.stored, 0) as ignored_stored
from accounts
left join observations
    on observations.reading_id = accounts.reading_id
    and observations.source_file = accounts.source_file
left join ignored
    on ignored.reading_id = accounts.reading_id
    and ignored.source_file = accounts.source_file
where
    accounts.observations <> coalesce(observations.stored, 0)
    or accounts.ignored <> coalesce(ignored.stored, 0)
