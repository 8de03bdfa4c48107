-- Each code over each stretch of time in which its land did not change, with the territory that it stood for
-- (`region_id`). A territory keeps its id through a change of name or code; a change of land makes a new one. The id is the
-- first code of a territory, with the day it began where the same code had stood for another territory before.
with recursive bounds as (
    select region_code, valid_from as day from {{ source('source', 'region') }}
    union
    select from_code, effective_date from {{ source('source', 'region_change') }}
    union
    select to_code, effective_date from {{ source('source', 'region_change') }}
),

stretches as (
    select
        region.region_code,
        bounds.day as valid_from,
        coalesce(
            lead(bounds.day) over (partition by region.region_code, region.valid_from order by bounds.day),
            region.valid_to
        ) as valid_to
    from {{ source('source', 'region') }} as region
    inner join bounds
        on bounds.region_code = region.region_code
        and bounds.day >= region.valid_from
        and (region.valid_to is null or bounds.day < region.valid_to)
),

-- what a stretch goes on from: the same code, or the one code that was renamed into it
continued as (
    select
        stretches.*,
        case
            when renamed.from_code is not null then renamed.from_code
            when land.region_code is null and before.region_code is not null then before.region_code
        end as before_code
    from stretches
    left join stretches as before
        on before.region_code = stretches.region_code
        and before.valid_to = stretches.valid_from
    left join {{ ref('int_region__land_changes') }} as land
        on land.region_code = stretches.region_code
        and land.effective_date = stretches.valid_from
    left join {{ source('source', 'region_change') }} as renamed
        on renamed.to_code = stretches.region_code
        and renamed.effective_date = stretches.valid_from
        and renamed.change_kind in ('rename', 'recode')
        and land.region_code is null
),

firsts as (
    select region_code, min(valid_from) as first_day
    from stretches
    group by region_code
),

named as (
    select
        continued.region_code,
        continued.valid_from,
        continued.valid_to,
        case
            when continued.valid_from = firsts.first_day then continued.region_code
            else {{ dbt.concat(['continued.region_code', "'@'", 'cast(continued.valid_from as ' ~ dbt.type_string() ~ ')']) }}
        end as region_id
    from continued
    inner join firsts
        on firsts.region_code = continued.region_code
    where continued.before_code is null

    union all

    select continued.region_code, continued.valid_from, continued.valid_to, named.region_id
    from named
    inner join continued
        on continued.before_code = named.region_code
        and continued.valid_from = named.valid_to
)

select region_code, valid_from, valid_to, region_id
from named
