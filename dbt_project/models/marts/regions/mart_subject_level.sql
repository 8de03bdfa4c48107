-- What there is of each subject at each level of today's regions: first and newest year, and how many of the level's regions
-- have a figure in the newest. `is_lowest` marks the deepest level that has figures and compares: the one that maps show.
with levels as (
    select
        subject_code,
        region_depth,
        min(year) as first_year,
        max(year) as year
    from {{ ref('mart_region_trend') }}
    where value is not null
    group by subject_code, region_depth
),

listed as (
    select region_depth, count(*) as regions_listed
    from {{ ref('dim_current_region') }}
    where is_territory
    group by region_depth
)

select
    levels.subject_code,
    levels.region_depth,
    levels.year,
    max(trend.period_name) as period_name,
    levels.first_year,
    max(oldest.period_name) as first_period_name,
    cast(count(distinct case when trend.value is not null then trend.region_id end) as integer) as regions,
    cast(max(listed.regions_listed) as integer) as regions_listed,
    levels.region_depth = max(
        case when levels.region_depth <= coalesce(setting.compared_depth, levels.region_depth) then levels.region_depth end
    ) over (partition by levels.subject_code) as is_lowest,
    {{ provenance_of_rows('trend.provenance') }} as provenance
from levels
cross join {{ ref('stg_setting') }} as setting
inner join listed
    on listed.region_depth = levels.region_depth
inner join {{ ref('mart_region_trend') }} as trend
    on trend.subject_code = levels.subject_code
    and trend.region_depth = levels.region_depth
    and trend.year = levels.year
inner join {{ ref('mart_region_trend') }} as oldest
    on oldest.subject_code = levels.subject_code
    and oldest.region_id = trend.region_id
    and oldest.year = levels.first_year
group by levels.subject_code, levels.region_depth, levels.year, levels.first_year, setting.compared_depth
