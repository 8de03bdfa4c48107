-- Money from file to mart, per file, measure and year: what was accepted is in the marts, or the column says why not.
-- Only totals over residence count, and classes rather than a printed sum of them, so that nothing counts twice.
with accepted as (
    select
        observation.receipt_id,
        observation.department,
        observation.extract,
        observation.delivery_period,
        observation.source_file,
        observation.measure,
        source.role,
        source.fund,
        source.account_stage,
        observation.region_code,
        observation.year,
        region.government_level,
        observation.value,
        observation.provenance,
        ranked.is_latest,
        ranked.is_chosen,
        (setting.first_year is null or observation.year >= setting.first_year)
            and (setting.last_year is null or observation.year <= setting.last_year)
            and (source.role = 'whole' or region.government_level is not null) as is_in_scope
    from {{ ref('stg_observation') }} as observation
    inner join {{ ref('stg_spending_source') }} as source
        on source.measure = observation.measure
    inner join {{ ref('int_observation__rank_vintages') }} as ranked
        on ranked.observation_id = observation.observation_id
    left join {{ ref('int_region__date') }} as region
        on region.reference_geography = 'reported'
        and region.as_of_date = observation.period_end
        and region.region_code = observation.region_code
    cross join {{ ref('stg_setting') }} as setting
    where
        observation.residence = 'total'
        and observation.sex = 'all'
        and observation.age_group = 'all'
        and observation.group_code = 'all'
        and observation.value is not null
        and (
            (source.role = 'whole' and observation.item = 'all')
            or (source.role = 'functional' and observation.item <> 'all')
        )
),

mart as (
    select distinct
        region_code, year, fund, account_stage, government_level, spending,
        case when spending_origin = 'whole' then 'whole' else 'functional' end as role
    from {{ ref('mart_per_capita_spending') }}
    where
        domain = 'all'
        and residence = 'total'
        and price_basis = 'nominal'
        and reference_geography = 'reported'
),

-- What each region's figure in the mart should be made of, over all files.
used as (
    select
        region_code, year, fund, account_stage, role,
        max(case when role = 'whole' then 'all' else government_level end) as government_level,
        {{ exact_sum('value') }} as value
    from accepted
    where is_chosen and is_in_scope
    group by region_code, year, fund, account_stage, role
),

held as (
    select
        used.region_code,
        used.year,
        used.fund,
        used.account_stage,
        used.role,
        used.value as used_value,
        case
            -- a whole that ranks below the sum of the classes, and a government with a class missing, are not shown
            when mart.region_code is null or mart.spending is null then 'not_shown'
            else 'shown'
        end as place,
        mart.spending
    from used
    left join mart
        on mart.region_code = used.region_code
        and mart.year = used.year
        and mart.fund = used.fund
        and mart.account_stage = used.account_stage
        and mart.government_level = used.government_level
        and (used.role = 'functional' or mart.role = 'whole')
),

by_region as (
    select
        accepted.*,
        case
            when not accepted.is_latest then 'superseded'
            when not accepted.is_chosen then 'outranked'
            when not accepted.is_in_scope then 'out_of_scope'
            when held.place = 'not_shown' then 'not_shown'
            else 'in_marts'
        end as place,
        -- where the mart's figure is not the sum of what it should be made of, every file behind it says so
        case when held.place = 'shown' and held.spending <> held.used_value then 1 else 0 end as is_off
    from accepted
    left join held
        on held.region_code = accepted.region_code
        and held.year = accepted.year
        and held.fund = accepted.fund
        and held.account_stage = accepted.account_stage
        and held.role = accepted.role
)

select
    receipt_id,
    measure,
    year,
    department,
    extract,
    delivery_period,
    source_file,
    fund,
    account_stage,
    {{ exact_sum('value') }} as accepted,
    {{ exact("coalesce(sum(case when place = 'superseded' then value end), 0)") }} as superseded,
    {{ exact("coalesce(sum(case when place = 'outranked' then value end), 0)") }} as outranked,
    {{ exact("coalesce(sum(case when place = 'out_of_scope' then value end), 0)") }} as out_of_scope,
    {{ exact("coalesce(sum(case when place = 'not_shown' then value end), 0)") }} as not_shown,
    {{ exact("coalesce(sum(case when place = 'in_marts' then value end), 0)") }} as in_marts,
    cast(count(distinct case when place = 'in_marts' then region_code end) as integer) as regions_in_marts,
    cast(count(distinct case when is_off = 1 then region_code end) as integer) as regions_off,
    max(is_off) = 0 as is_tied,
    max(provenance) as provenance
from by_region
group by
    receipt_id, measure, year, department, extract, delivery_period, source_file, fund, account_stage
