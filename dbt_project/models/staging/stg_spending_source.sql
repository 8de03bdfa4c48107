select
    measure,
    role,
    fund,
    account_stage
from {{ source('source', 'spending_source') }}
