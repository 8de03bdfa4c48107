select
    weight_set,
    parent,
    child,
    weight,
    edition,
    origin,
    note
from {{ source('source', 'weight') }}
