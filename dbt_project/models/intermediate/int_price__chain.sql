-- Price level of each region's own index, the base year of the jurisdiction being 1: yearly indices (the year before =
-- 100) multiplied forward from the base year and divided out backward. A year without an index ends the chain.
with recursive indices as (
    select
        price.region_code,
        price.year,
        {{ divide('price.index_pct', '100') }} as change,
        setting.base_year
    from {{ source('source', 'price_index') }} as price
    cross join {{ ref('stg_setting') }} as setting
    where setting.base_year is not null
),

origins as (
    select
        region_code,
        case when min(origin) = max(origin) then min(origin) else 'mixed' end as origin
    from {{ source('source', 'price_index') }}
    group by region_code
),

chain as (
    select distinct region_code, base_year as year, 0 as direction, 1e0 as price_level
    from indices

    union all

    select
        chain.region_code,
        case when indices.year = chain.year + 1 then indices.year else chain.year - 1 end as year,
        case when indices.year = chain.year + 1 then 1 else -1 end as direction,
        case
            when indices.year = chain.year + 1 then chain.price_level * indices.change
            else {{ divide('chain.price_level', 'indices.change') }}
        end as price_level
    from chain
    inner join indices
        on indices.region_code = chain.region_code
        and (
            (chain.direction >= 0 and indices.year = chain.year + 1)
            or (chain.direction <= 0 and indices.year = chain.year)
        )
)

select
    chain.region_code,
    chain.year,
    chain.price_level,
    origins.origin as price_index_origin
from chain
inner join origins
    on origins.region_code = chain.region_code
