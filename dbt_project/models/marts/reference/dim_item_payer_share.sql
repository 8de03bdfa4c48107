select
    share.item,
    share.government_level,
    share.region_code,
    share.edition,
    item.name_zh as item_name_zh,
    item.name_en as item_name_en,
    share.share as payer_share,
    share.origin
from {{ source('source', 'item_payer_share') }} as share
left join (
    select item, name_zh, name_en, row_number() over (partition by item order by edition desc) as place
    from {{ source('source', 'service_item') }}
) as item
    on item.item = share.item
    and item.place = 1
