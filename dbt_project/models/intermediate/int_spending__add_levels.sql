-- Spending in a region by level of government: its own government, each level below it, and all of them together.
-- A level is complete when every government of that level in the region is; `all` when every level there is reports. What
-- is reported of everybody in a region is that of all levels as it is, and no sum stands beside it.
-- Spending of a higher government is never spread over the regions below it.
{% set account = ['fund', 'account_stage', 'residence', 'domain'] %}

with spending as (
    select * from {{ ref('int_spending__sum_domains') }}
),

of_everybody as (
    select * from spending where government_level = 'all'
),

governments as (
    select
        tree.reference_geography,
        tree.as_of_date,
        tree.ancestor_code,
        region.government_level,
        count(*) as governments
    from {{ ref('int_region__tree') }} as tree
    inner join {{ ref('int_region__date') }} as region
        on region.reference_geography = tree.reference_geography
        and region.as_of_date = tree.as_of_date
        and region.region_code = tree.region_code
    where region.government_level is not null
    group by tree.reference_geography, tree.as_of_date, tree.ancestor_code, region.government_level
),

by_level as (
    select
        tree.ancestor_code as region_code,
        spending.reference_geography,
        spending.as_of_date,
        spending.government_level,
        spending.period_end,
        spending.year,
        spending.year_start,
        {% for column in account %}
        spending.{{ column }},
        {% endfor %}
        {{ exact_sum('spending.value') }} as value,
        sum(case when spending.value is not null or spending.cannot_exist then 1 else 0 end) as found,
        {{ any_true('spending.is_partial_year') }} as is_partial_year,
        {{ status_of_rows('spending.letters') }} as letters,
        {{ provenance_of_rows('spending.provenance') }} as provenance,
        max(spending.extract_rank) as extract_rank
    from spending
    inner join {{ ref('int_region__tree') }} as tree
        on tree.reference_geography = spending.reference_geography
        and tree.as_of_date = spending.as_of_date
        and tree.region_code = spending.region_code
    where spending.government_level <> 'all'
    group by
        {% for column in account %}
        spending.{{ column }},
        {% endfor %}
        tree.ancestor_code, spending.reference_geography, spending.as_of_date, spending.government_level,
        spending.period_end, spending.year, spending.year_start
),

levels as (
    select
        by_level.region_code,
        by_level.reference_geography,
        by_level.as_of_date,
        by_level.government_level,
        by_level.period_end,
        by_level.year,
        by_level.year_start,
        {% for column in account %}
        by_level.{{ column }},
        {% endfor %}
        case when by_level.found = governments.governments then by_level.value end as value,
        by_level.found = governments.governments and by_level.value is null as cannot_exist,
        by_level.is_partial_year,
        by_level.letters,
        by_level.provenance,
        by_level.extract_rank
    from by_level
    inner join governments
        on governments.reference_geography = by_level.reference_geography
        and governments.as_of_date = by_level.as_of_date
        and governments.ancestor_code = by_level.region_code
        and governments.government_level = by_level.government_level
),

levels_there as (
    select reference_geography, as_of_date, ancestor_code as region_code, count(*) as levels
    from governments
    group by reference_geography, as_of_date, ancestor_code
),

levels_reporting as (
    select
        region_code, reference_geography, period_end, fund, account_stage,
        count(distinct government_level) as levels
    from levels
    group by region_code, reference_geography, period_end, fund, account_stage
),

{% set whose = (['region_code', 'reference_geography', 'as_of_date', 'period_end', 'year', 'year_start'] + account)
    | join(', ') %}
together as (
    select
        {{ whose }},
        {{ exact_sum('value') }} as value,
        sum(case when value is null and not cannot_exist then 1 else 0 end) as gaps,
        {{ any_true('is_partial_year') }} as is_partial_year,
        {{ status_of_rows('letters') }} as letters,
        {{ provenance_of_rows('provenance') }} as provenance,
        max(extract_rank) as extract_rank
    from levels
    group by {{ whose }}
),

every_level as (
    select {{ whose }}, government_level, value, cannot_exist, is_partial_year, letters, provenance, extract_rank
    from levels

    union all

    select {{ whose }}, government_level, value, cannot_exist, is_partial_year, letters, provenance, extract_rank
    from of_everybody

    union all

    select
        {% for column in whose.split(', ') %}
        together.{{ column }},
        {% endfor %}
        'all',
        case when together.gaps = 0 and levels_reporting.levels = levels_there.levels then together.value end,
        together.gaps = 0 and levels_reporting.levels = levels_there.levels and together.value is null,
        together.is_partial_year,
        together.letters,
        together.provenance,
        together.extract_rank
    from together
    inner join levels_there
        on levels_there.reference_geography = together.reference_geography
        and levels_there.as_of_date = together.as_of_date
        and levels_there.region_code = together.region_code
    inner join levels_reporting
        on levels_reporting.region_code = together.region_code
        and levels_reporting.reference_geography = together.reference_geography
        and levels_reporting.period_end = together.period_end
        and levels_reporting.fund = together.fund
        and levels_reporting.account_stage = together.account_stage
    left join of_everybody
        on of_everybody.region_code = together.region_code
        and of_everybody.reference_geography = together.reference_geography
        and of_everybody.year_start = together.year_start
        {% for column in account %}
        and of_everybody.{{ column }} = together.{{ column }}
        {% endfor %}
    where of_everybody.region_code is null
)

select
    {{ whose }}, government_level, value, cannot_exist, is_partial_year,
    {{ letters_of_sum('letters', 'value', 'cannot_exist') }} as letters,
    provenance, extract_rank
from every_level
