-- Money from file to mart, per file, measure and year: what was accepted is in the marts, or the column says why not.
-- Only totals over residence count, and classes rather than a printed sum of them, so that nothing counts twice.
-- Money that is told of a whole year, or of a longer part of it, outranks what is told of parts within it.
with accepted as (
    select
        observation.receipt_id,
        observation.department,
        observation.extract,
        observation.delivery_period,
        observation.source_file,
        observation.measure,
        observation.item,
        source.role,
        source.aggregation,
        source.fund,
        source.account_stage,
        observation.region_code,
        observation.year,
        observation.year_start,
        observation.period_start,
        observation.period_end,
        series.is_part,
        series.whole_year_number,
        -- the figure of the mart that it goes into: of everybody in the region or of its government, of a domain or of all
        case
            when source.role = 'whole' or source.aggregation = 'whole' then 'all'
            else region.government_level
        end as government_level,
        case
            when source.role = 'whole' or (source.is_exhaustive and source.aggregation <> 'whole') then 'all'
            else class.domain
        end as domain,
        observation.value,
        observation.provenance,
        ranked.is_latest,
        ranked.is_chosen,
        (setting.first_year is null or observation.year >= setting.first_year)
            and (setting.last_year is null or observation.year <= setting.last_year)
            and series.is_within_year
            and (source.role = 'whole' or source.aggregation = 'whole' or region.government_level is not null)
            as is_in_scope
    from {{ ref('stg_observation') }} as observation
    inner join {{ ref('stg_spending_source') }} as source
        on source.measure = observation.measure
    inner join {{ ref('int_observation__rank_vintages') }} as ranked
        on ranked.observation_id = observation.observation_id
    inner join {{ ref('int_observation__number_series') }} as series
        on series.series_number = ranked.series_number
    left join {{ ref('int_region__date') }} as region
        on region.reference_geography = 'reported'
        and region.as_of_date = observation.period_end
        and region.region_code = observation.region_code
    left join {{ source('source', 'functional_class') }} as class
        on source.role = 'functional'
        and class.class_code = observation.item
        and class.valid_from <= observation.period_end
        and (class.valid_to is null or class.valid_to > observation.period_end)
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

-- parts of a year that a longer part, or the whole year, stands for
within_longer as (
    select distinct
        part.receipt_id, part.measure, part.item, part.region_code, part.period_start, part.period_end
    from accepted as part
    inner join accepted as longer
        on longer.is_chosen
        and longer.measure = part.measure
        and longer.item = part.item
        and longer.region_code = part.region_code
        and longer.year_start = part.year_start
        and longer.period_start <= part.period_start
        and longer.period_end >= part.period_end
        and (longer.period_start < part.period_start or longer.period_end > part.period_end)
    where part.is_part and longer.is_in_scope
),

placed as (
    select
        accepted.*,
        within_longer.receipt_id is not null as is_outranked
    from accepted
    left join within_longer
        on within_longer.receipt_id = accepted.receipt_id
        and within_longer.measure = accepted.measure
        and within_longer.item = accepted.item
        and within_longer.region_code = accepted.region_code
        and within_longer.period_start = accepted.period_start
        and within_longer.period_end = accepted.period_end
),

mart as (
    select
        region_code, year, fund, account_stage, government_level, domain, value as spending,
        case when origin = 'whole' then 'whole' else 'functional' end as role
    from {{ ref('int_spending__choose_whole') }}
    where residence = 'total' and reference_geography = 'reported'
),

-- What each figure in the mart should be made of, over all files.
used as (
    select
        placed.region_code, placed.year, placed.fund, placed.account_stage, placed.role, placed.government_level,
        placed.domain,
        {{ exact_sum('placed.value') }} as value,
        -- a year that its contract lets be scaled is more than its parts, and a whole budget of each government is one
        -- part of the region's
        count(years.scaled_value) = 0 and not (placed.role = 'whole' and min(placed.aggregation) = 'own_level')
            as is_comparable
    from placed
    left join {{ ref('int_observation__sum_years') }} as years
        on years.series_number = placed.whole_year_number
        and years.region_code = placed.region_code
    where placed.is_chosen and placed.is_in_scope and not placed.is_outranked
    group by
        placed.region_code, placed.year, placed.fund, placed.account_stage, placed.role, placed.government_level,
        placed.domain
),

held as (
    select
        used.*,
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
        and mart.domain = used.domain
        and (used.role = 'functional' or mart.role = 'whole')
),

by_region as (
    select
        placed.*,
        case
            when not placed.is_latest then 'superseded'
            when not placed.is_chosen or placed.is_outranked then 'outranked'
            when not placed.is_in_scope then 'out_of_scope'
            when held.place = 'not_shown' then 'not_shown'
            else 'in_marts'
        end as place,
        -- where the mart's figure is not the sum of what it should be made of, every file behind it says so
        case when held.place = 'shown' and held.is_comparable and held.spending <> held.value then 1 else 0 end as is_off
    from placed
    left join held
        on held.region_code = placed.region_code
        and held.year = placed.year
        and held.fund = placed.fund
        and held.account_stage = placed.account_stage
        and held.role = placed.role
        and held.government_level is not distinct from placed.government_level
        and held.domain is not distinct from placed.domain
)

select
    receipt_id,
    measure,
    year,
    {{ year_name('year_start') }} as period_name,
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
    receipt_id, measure, year, year_start, department, extract, delivery_period, source_file, fund, account_stage
