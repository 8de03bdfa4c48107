select
    class_code,
    name_zh,
    name_en,
    domain,
    edition,
    coalesce(valid_from, cast('0001-01-01' as date)) as valid_from,
    valid_to
from {{ source('source', 'functional_class') }}
