{{ config(
    meta={'severity': 'block', 'owner': '数据管理 / data steward',
          'why': 'a row that is counted but not stored is lost'},
) }}
with accounts as (
    select
        reading_id, source_file,
        sum(values_accepted + values_missing) as observations,
        sum(rows_ignored) as ignored
    from {{ ref('stg_tie_out') }}
    group by reading_id, source_file
),

observations as (
    select reading_id, source_file, count(*) as stored
    from {{ ref('stg_observation') }}
    group by reading_id, source_file
),

ignored as (
    select reading_id, source_file, count(*) as stored
    from {{ ref('stg_ignored') }}
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
