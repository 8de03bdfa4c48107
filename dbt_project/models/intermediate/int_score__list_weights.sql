-- The tree of each weight set: domains of the whole, scored indicators of each domain. The set `equal` needs no line:
-- every basic domain and every scored indicator of a domain weighs the same. What another set does not say is equal too.
-- Indicators with role `context` are in no set.
-- Of several editions of a set the last in alphabetical order counts.
with weights as (
    select weight.*
    from {{ source('source', 'weight') }} as weight
    inner join (
        select weight_set, max(edition) as edition
        from {{ source('source', 'weight') }}
        group by weight_set
    ) as last
        on last.weight_set = weight.weight_set
        and last.edition = weight.edition
),

sets as (
    select distinct weight_set from weights
    union
    select 'equal' as weight_set
),

said as (
    select distinct weight_set, parent
    from weights
),

domains as (
    select
        sets.weight_set,
        domain.domain,
        case when said.weight_set is null then 1 else coalesce(weight.weight, 0) end as domain_weight
    from sets
    cross join {{ source('source', 'domain') }} as domain
    left join said
        on said.weight_set = sets.weight_set
        and said.parent = 'all'
    left join weights as weight
        on weight.weight_set = sets.weight_set
        and weight.parent = 'all'
        and weight.child = domain.domain
    where said.weight_set is not null or domain.is_basic
),

indicators as (
    select
        domains.weight_set,
        domains.domain,
        domains.domain_weight,
        indicator.indicator_code,
        case when said.weight_set is null then 1 else coalesce(weight.weight, 0) end as weight
    from domains
    inner join {{ source('source', 'indicator') }} as indicator
        on indicator.domain = domains.domain
        and indicator.role = 'scored'
    left join said
        on said.weight_set = domains.weight_set
        and said.parent = domains.domain
    left join weights as weight
        on weight.weight_set = domains.weight_set
        and weight.parent = domains.domain
        and weight.child = indicator.indicator_code
)

-- a domain without any scored indicator stays in the tree: its weight is missing, not given to the others
select
    domains.weight_set,
    domains.domain,
    cast(domains.domain_weight as decimal(18, 9)) as domain_weight,
    indicators.indicator_code,
    cast(indicators.weight as decimal(18, 9)) as weight
from domains
left join indicators
    on indicators.weight_set = domains.weight_set
    and indicators.domain = domains.domain
    and indicators.weight > 0
where domains.domain_weight > 0
