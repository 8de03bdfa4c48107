select
    item,
    government_level,
    region_code,
    share as payer_share,
    edition,
    origin
from {{ source('source', 'item_payer_share') }}
