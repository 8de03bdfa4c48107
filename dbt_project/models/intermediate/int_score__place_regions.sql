-- Every region with the lowest regions in it (itself, when nothing is below it) and how many people these stand for: the
-- residents of the source that is known for most of the lowest regions that year, of several the one the jurisdiction
-- means. Only countries in which some indicator has figures that year. A region of a year has a number (`place_number`),
-- and so has a lowest region of a year (`leaf_number`): scores carry these.
with dates as (
    select
        figure.reference_geography,
        figure.year,
        max(figure.year_start) as year_start,
        case
            when min(figure.year_start) = max(figure.year_start) then {{ year_name('max(figure.year_start)') }}
            else cast(figure.year as {{ dbt.type_string() }})
        end as period_name,
        coalesce(max(geography.as_of_date), max(figure.period_end)) as as_of_date
    from {{ ref('int_score__choose_figures') }} as figure
    left join {{ source('source', 'reference_geography') }} as geography
        on geography.reference_geography = figure.reference_geography
    group by figure.reference_geography, figure.year
),

tree as (
    select
        dates.year,
        tree.*
    from dates
    inner join {{ ref('int_region__tree') }} as tree
        on tree.reference_geography = dates.reference_geography
        and tree.as_of_date = dates.as_of_date
),

regions as (
    select
        dates.year,
        dates.year_start,
        dates.period_name,
        region.*
    from dates
    inner join {{ ref('int_region__date') }} as region
        on region.reference_geography = dates.reference_geography
        and region.as_of_date = dates.as_of_date
),

-- the top of each region's own tree: one without any figure is not part of these statistics
tops as (
    select
        tree.reference_geography,
        tree.year,
        tree.region_code,
        tree.ancestor_code as top_code
    from tree
    inner join regions as top
        on top.reference_geography = tree.reference_geography
        and top.year = tree.year
        and top.region_code = tree.ancestor_code
        and top.parent_code is null
),

countries as (
    select distinct
        tops.reference_geography,
        tops.year,
        tops.top_code
    from tops
    inner join {{ ref('int_score__choose_figures') }} as figure
        on figure.reference_geography = tops.reference_geography
        and figure.year = tops.year
        and figure.region_code = tops.region_code
    inner join {{ source('source', 'indicator') }} as indicator
        on indicator.indicator_code = figure.indicator_code
    where indicator.role = 'scored' and figure.value is not null
),

inner_nodes as (
    select distinct reference_geography, year, parent_code as region_code
    from regions
    where parent_code is not null and coalesce(is_territory, true)
),

leaves as (
    select
        regions.reference_geography,
        regions.year,
        regions.year_start,
        regions.period_name,
        regions.region_code,
        regions.region_depth
    from regions
    inner join tops
        on tops.reference_geography = regions.reference_geography
        and tops.year = regions.year
        and tops.region_code = regions.region_code
    inner join countries
        on countries.reference_geography = tops.reference_geography
        and countries.year = tops.year
        and countries.top_code = tops.top_code
    left join inner_nodes
        on inner_nodes.reference_geography = regions.reference_geography
        and inner_nodes.year = regions.year
        and inner_nodes.region_code = regions.region_code
    where inner_nodes.region_code is null and coalesce(regions.is_territory, true)
),

residents as (
    select *
    from {{ ref('int_population__choose_years') }}
    where population_basis = 'resident' and residence = 'total'
),

sources as (
    select
        residents.reference_geography,
        residents.year_start,
        residents.population_source,
        row_number() over (
            partition by residents.reference_geography, residents.year_start
            order by
                count(residents.population) desc,
                {{ source_rank('residents.population_source', 'max(setting.population_source)') }}
        ) as place
    from residents
    cross join {{ ref('stg_setting') }} as setting
    inner join leaves
        on leaves.reference_geography = residents.reference_geography
        and leaves.year_start = residents.year_start
        and leaves.region_code = residents.region_code
    group by residents.reference_geography, residents.year_start, residents.population_source
),

chosen_residents as (
    select residents.*
    from residents
    inner join sources
        on sources.reference_geography = residents.reference_geography
        and sources.year_start = residents.year_start
        and sources.population_source = residents.population_source
        and sources.place = 1
),

registered as (
    select
        registered.reference_geography,
        registered.year_start,
        registered.region_code,
        registered.population,
        row_number() over (
            partition by registered.reference_geography, registered.year_start, registered.region_code
            order by {{ source_rank('registered.population_source', 'setting.population_source') }}
        ) as place
    from {{ ref('int_population__choose_years') }} as registered
    cross join {{ ref('stg_setting') }} as setting
    where registered.population_basis = 'registered' and registered.residence = 'total'
)

select
    cast(dense_rank() over (order by leaves.reference_geography, leaves.year, region.region_code) as integer) as place_number,
    cast(dense_rank() over (order by leaves.reference_geography, leaves.year, leaves.region_code) as integer) as leaf_number,
    leaves.reference_geography,
    leaves.year,
    leaves.year_start,
    leaves.period_name,
    region.region_code,
    region.region_name,
    region.region_level,
    region.region_depth,
    region.as_of_date,
    leaves.region_code as leaf_code,
    leaves.region_depth as leaf_depth,
    leaves.region_code = region.region_code as is_leaf,
    cast(residents.population as bigint) as people,
    residents.population_source,
    residents.obs_status as people_status,
    residents.provenance as people_provenance,
    cast(registered.population as bigint) as registered_people,
    cast(whole.population as bigint) as region_people
from leaves
inner join tree
    on tree.reference_geography = leaves.reference_geography
    and tree.year = leaves.year
    and tree.region_code = leaves.region_code
inner join regions as region
    on region.reference_geography = tree.reference_geography
    and region.year = tree.year
    and region.region_code = tree.ancestor_code
left join chosen_residents as residents
    on residents.reference_geography = leaves.reference_geography
    and residents.year_start = leaves.year_start
    and residents.region_code = leaves.region_code
left join registered
    on registered.reference_geography = leaves.reference_geography
    and registered.year_start = leaves.year_start
    and registered.region_code = leaves.region_code
    and registered.place = 1
left join chosen_residents as whole
    on whole.reference_geography = leaves.reference_geography
    and whole.year_start = leaves.year_start
    and whole.region_code = region.region_code
