-- Own spending of each government by domain and residence, with the eight (`basic`) and everything (`all`).
-- What a level of government reports anywhere in a year is expected of each government of that level that reports at
-- all: a class that is not there (its cell was refused) makes the domain missing, not smaller.
with members as (
    select *, domain as figure_domain
    from {{ ref('int_spending__map_classes') }}
    where domain is not null

    union all

    select *, 'basic'
    from {{ ref('int_spending__map_classes') }}
    where is_basic

    union all

    select *, 'all'
    from {{ ref('int_spending__map_classes') }}
),

expected as (
    select
        reference_geography, year, fund, account_stage, government_level, residence, figure_domain,
        count(distinct measure || '|' || class_code) as classes
    from members
    group by reference_geography, year, fund, account_stage, government_level, residence, figure_domain
),

governments as (
    select
        region_code, reference_geography, government_level, year, fund, account_stage,
        max(period_end) as period_end,
        max(as_of_date) as as_of_date,
        {{ provenance_of_rows('provenance') }} as provenance,
        max(extract_rank) as extract_rank
    from {{ ref('int_spending__map_classes') }}
    group by region_code, reference_geography, government_level, year, fund, account_stage
),

found as (
    select
        region_code, reference_geography, year, fund, account_stage, residence, figure_domain,
        {{ exact_sum('value') }} as value,
        count(value) as classes,
        {{ status_of_rows('obs_status') }} as letters
    from members
    group by region_code, reference_geography, year, fund, account_stage, residence, figure_domain
),

parts as (
    select
        governments.region_code,
        governments.reference_geography,
        governments.as_of_date,
        governments.government_level,
        governments.period_end,
        governments.year,
        governments.fund,
        governments.account_stage,
        governments.provenance,
        governments.extract_rank,
        expected.residence,
        expected.figure_domain as domain,
        case when found.classes = expected.classes then found.value end as value,
        coalesce(found.letters, '') as letters
    from governments
    inner join expected
        on expected.reference_geography = governments.reference_geography
        and expected.year = governments.year
        and expected.fund = governments.fund
        and expected.account_stage = governments.account_stage
        and expected.government_level = governments.government_level
    left join found
        on found.region_code = governments.region_code
        and found.reference_geography = governments.reference_geography
        and found.year = governments.year
        and found.fund = governments.fund
        and found.account_stage = governments.account_stage
        and found.residence = expected.residence
        and found.figure_domain = expected.figure_domain
),

-- What a level of government attributes to neither urban nor rural residents, where it does not report that itself.
remainders as (
    select
        region_code, reference_geography, as_of_date, government_level, period_end, year, fund, account_stage,
        provenance, extract_rank, domain,
        max(case when residence = 'total' then value end) as total,
        coalesce(sum(case when residence in ('urban', 'rural') then value end), 0) as attributed,
        count(case when residence in ('urban', 'rural') then 1 end)
            - count(case when residence in ('urban', 'rural') then value end) as gaps,
        {{ status_of_rows('letters') }} as letters
    from parts
    group by
        region_code, reference_geography, as_of_date, government_level, period_end, year, fund, account_stage,
        provenance, extract_rank, domain
    having
        count(case when residence = 'unattributed' then 1 end) = 0
        and count(case when residence = 'total' then 1 end) = 1
)

select
    region_code, reference_geography, as_of_date, government_level, period_end, year, fund, account_stage, residence,
    domain, value, letters, provenance, extract_rank
from parts

union all

select
    region_code, reference_geography, as_of_date, government_level, period_end, year, fund, account_stage,
    'unattributed', domain,
    case when gaps = 0 then {{ exact('total - attributed') }} end,
    letters, provenance, extract_rank
from remainders
