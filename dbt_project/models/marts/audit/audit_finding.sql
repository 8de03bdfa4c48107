-- The number tells findings of one file apart; it is the same in every build of the same readings.
select
    receipt_id,
    cast(
        row_number() over (partition by receipt_id order by kind, severity, observed, expected) as integer
    ) as finding_number,
    reading_id,
    department,
    extract,
    delivery_period,
    source_file,
    kind,
    severity,
    observed,
    expected
from {{ source('source', 'finding') }}
