select
    fund,
    account_stage,
    livelihood,
    livelihood_classes,
    resources,
    scope_zh,
    scope_en
from {{ source('source', 'two_thirds_test') }}
