-- The whole tree of each weight set, the implied set `equal` too; shares add up to 1 below each parent.
with listed as (
    select * from {{ ref('int_score__list_weights') }}
),

domains as (
    select distinct weight_set, domain, domain_weight
    from listed
),

children as (
    select weight_set, 'all' as parent, domain as child, 'domain' as child_kind, domain_weight as weight
    from domains

    union all

    select weight_set, domain as parent, indicator_code as child, 'indicator' as child_kind, weight
    from listed
    where indicator_code is not null
),

said as (
    select
        weight_set, parent, child, edition, origin, note,
        row_number() over (partition by weight_set, parent, child order by edition desc) as place
    from {{ source('source', 'weight') }}
)

select
    children.weight_set,
    children.parent,
    children.child,
    children.child_kind,
    children.weight,
    {{ divide('children.weight', 'sum(children.weight) over (partition by children.weight_set, children.parent)') }}
        as weight_share,
    children.weight_set = setting.weight_set as is_main,
    said.edition,
    coalesce(said.origin, 'equal') as origin,
    said.note
from children
cross join {{ ref('stg_setting') }} as setting
left join said
    on said.weight_set = children.weight_set
    and said.parent = children.parent
    and said.child = children.child
    and said.place = 1
