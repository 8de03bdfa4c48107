-- What there is of each subject at each level of today's regions: first and newest year, and how many of the level's regions
-- have a figure in the newest. `is_lowest` marks the deepest level that has figures and compares: the one that maps show.
with years as (
    select
        subject_code,
        region_depth,
        year,
        max(period_name) as period_name,
        cast(count(value) as integer) as regions,
        {{ provenance_of_rows('provenance') }} as provenance
    from {{ ref('mart_region_trend') }}
    group by subject_code, region_depth, year
),

levels as (
    select subject_code, region_depth, min(year) as first_year, max(year) as year
    from years
    where regions > 0
    group by subject_code, region_depth
),

listed as (
    select region_depth, cast(count(*) as integer) as regions_listed
    from {{ ref('dim_current_region') }}
    where is_territory
    group by region_depth
)

select
    levels.subject_code,
    levels.region_depth,
    levels.year,
    newest.period_name,
    levels.first_year,
    oldest.period_name as first_period_name,
    newest.regions,
    listed.regions_listed,
    levels.region_depth = max(
        case when levels.region_depth <= coalesce(setting.compared_depth, levels.region_depth) then levels.region_depth end
    ) over (partition by levels.subject_code) as is_lowest,
    newest.provenance
from levels
cross join {{ ref('stg_setting') }} as setting
inner join listed
    on listed.region_depth = levels.region_depth
inner join years as newest
    on newest.subject_code = levels.subject_code
    and newest.region_depth = levels.region_depth
    and newest.year = levels.year
inner join years as oldest
    on oldest.subject_code = levels.subject_code
    and oldest.region_depth = levels.region_depth
    and oldest.year = levels.first_year
