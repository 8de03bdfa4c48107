-- Spending of each government (or, at the level `all`, of everybody in a region) by domain and residence, with the basic
-- domains together (`basic`) and everything (`all`). Everything exists only of classes that are declared to be all there
-- are, and the basic domains together only of those or where each of them has a figure: parts are never the whole.
-- What a level of government reports anywhere in a year is expected of each government of that level that reports at
-- all: a class that is not there (its cell was refused) makes the domain missing, not smaller. A class that cannot exist
-- there (M) adds nothing; where none of a domain's can, neither does the domain (`cannot_exist`).
{% set account = ['reference_geography', 'year', 'year_start', 'fund', 'account_stage'] | join(', ') %}

with classes as (
    select * from {{ ref('int_spending__map_classes') }}
),

-- accounts in which each of the basic domains has a figure
whole_basics as (
    select {{ account }}
    from classes
    where is_basic
    group by {{ account }}
    having count(distinct domain) = (select count(*) from {{ source('source', 'domain') }} where is_basic)
),

members as (
    select classes.*, classes.domain as figure_domain
    from classes
    where classes.domain is not null

    union all

    select classes.*, 'basic'
    from classes
    left join whole_basics
        on whole_basics.reference_geography = classes.reference_geography
        and whole_basics.year_start = classes.year_start
        and whole_basics.fund = classes.fund
        and whole_basics.account_stage = classes.account_stage
    where classes.is_basic and (classes.is_exhaustive or whole_basics.fund is not null)

    union all

    select classes.*, 'all'
    from classes
    where classes.is_exhaustive
),

expected as (
    select
        {{ account }}, government_level, residence, figure_domain,
        count(distinct measure || '|' || class_code) as classes
    from members
    group by {{ account }}, government_level, residence, figure_domain
),

governments as (
    select
        region_code, government_level, {{ account }},
        max(period_end) as period_end,
        max(as_of_date) as as_of_date,
        {{ provenance_of_rows('provenance') }} as provenance,
        max(extract_rank) as extract_rank
    from classes
    group by region_code, government_level, {{ account }}
),

found as (
    select
        region_code, government_level, {{ account }}, residence, figure_domain,
        {{ exact_sum('value') }} as value,
        sum(case when {{ adds_up('value', 'obs_status') }} and not is_partial_year then 1 else 0 end) as classes,
        {{ any_true('is_partial_year') }} as is_partial_year,
        {{ status_of_rows('obs_status') }} as letters
    from members
    group by region_code, government_level, {{ account }}, residence, figure_domain
),

parts as (
    select
        governments.region_code,
        governments.reference_geography,
        governments.as_of_date,
        governments.government_level,
        governments.period_end,
        governments.year,
        governments.year_start,
        governments.fund,
        governments.account_stage,
        governments.provenance,
        governments.extract_rank,
        expected.residence,
        expected.figure_domain as domain,
        case when found.classes = expected.classes then found.value end as value,
        coalesce(found.classes = expected.classes and found.value is null, false) as cannot_exist,
        coalesce(found.is_partial_year, false) as is_partial_year,
        coalesce(found.letters, '') as letters
    from governments
    inner join expected
        on expected.reference_geography = governments.reference_geography
        and expected.year_start = governments.year_start
        and expected.fund = governments.fund
        and expected.account_stage = governments.account_stage
        and expected.government_level = governments.government_level
    left join found
        on found.region_code = governments.region_code
        and found.government_level = governments.government_level
        and found.reference_geography = governments.reference_geography
        and found.year_start = governments.year_start
        and found.fund = governments.fund
        and found.account_stage = governments.account_stage
        and found.residence = expected.residence
        and found.figure_domain = expected.figure_domain
),

-- What a level of government attributes to neither urban nor rural residents, where it does not report that itself and
-- anybody tells these apart.
{% set whose = ['region_code', 'reference_geography', 'as_of_date', 'government_level', 'period_end', 'year', 'year_start',
                'fund', 'account_stage', 'provenance', 'extract_rank', 'domain'] | join(', ') %}
remainders as (
    select
        {{ whose }},
        max(case when residence = 'total' then value end) as total,
        coalesce(sum(case when residence in ('urban', 'rural') then value end), 0) as attributed,
        count(case when residence in ('urban', 'rural') then 1 end)
            - count(case when residence in ('urban', 'rural') then value end) as gaps,
        min(case when cannot_exist then 1 else 0 end) = 1 as cannot_exist,
        {{ any_true('is_partial_year') }} as is_partial_year,
        {{ status_of_rows('letters') }} as letters
    from parts
    cross join {{ ref('stg_setting') }} as setting
    where setting.tells_residence
    group by {{ whose }}
    having
        count(case when residence = 'unattributed' then 1 end) = 0
        and count(case when residence = 'total' then 1 end) = 1
)

select
    {{ whose }}, residence, value, cannot_exist, is_partial_year,
    {{ letters_of_sum('letters', 'value', 'cannot_exist') }} as letters
from parts

union all

select
    {{ whose }}, 'unattributed',
    case when gaps = 0 then {{ exact('total - attributed') }} end,
    cannot_exist, is_partial_year, letters
from remainders
