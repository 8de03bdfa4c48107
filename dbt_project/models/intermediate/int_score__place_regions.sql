-- Every region with the lowest regions in it (itself, when nothing is below it) and how many people these stand for: the
-- residents at year end, else at mid-year, else of the census, whichever is known for most of the lowest regions that
-- year. Only countries in which some indicator has figures that year. A region of a year has a number (`place_number`), and
-- so has a lowest region of a year (`leaf_number`): scores carry these.
with dates as (
    select
        figure.reference_geography,
        figure.year,
        coalesce(max(geography.as_of_date), max(figure.period_end)) as as_of_date
    from {{ ref('int_score__choose_figures') }} as figure
    left join {{ ref('stg_reference_geography') }} as geography
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
    inner join {{ ref('stg_indicator') }} as indicator
        on indicator.indicator_code = figure.indicator_code
    where indicator.role = 'scored' and figure.value is not null
),

inner_nodes as (
    select distinct reference_geography, year, parent_code as region_code
    from regions
    where parent_code is not null
),

leaves as (
    select
        regions.reference_geography,
        regions.year,
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
    where inner_nodes.region_code is null
),

residents as (
    select
        population.*,
        row_number() over (
            partition by
                population.reference_geography, population.year, population.region_code, population.population_source
            order by population.reference_date desc
        ) as place
    from {{ ref('fct_population') }} as population
    where
        population.population_basis = 'resident'
        and population.residence = 'total'
        and population.sex = 'all'
        and population.age_group = 'all'
),

sources as (
    select
        residents.reference_geography,
        residents.year,
        residents.population_source,
        row_number() over (
            partition by residents.reference_geography, residents.year
            order by
                count(residents.population) desc,
                case residents.population_source
                    when 'year_end' then 0 when 'mid_year' then 1 when 'census' then 2 else 3
                end
        ) as place
    from residents
    inner join leaves
        on leaves.reference_geography = residents.reference_geography
        and leaves.year = residents.year
        and leaves.region_code = residents.region_code
    where residents.place = 1
    group by residents.reference_geography, residents.year, residents.population_source
),

chosen_residents as (
    select residents.*
    from residents
    inner join sources
        on sources.reference_geography = residents.reference_geography
        and sources.year = residents.year
        and sources.population_source = residents.population_source
        and sources.place = 1
    where residents.place = 1
),

registered as (
    select
        reference_geography, year, region_code, population,
        row_number() over (
            partition by reference_geography, year, region_code
            order by
                case population_source when 'year_end' then 0 when 'mid_year' then 1 when 'census' then 2 else 3 end,
                reference_date desc
        ) as place
    from {{ ref('fct_population') }}
    where population_basis = 'registered' and residence = 'total' and sex = 'all' and age_group = 'all'
)

select
    cast(dense_rank() over (order by leaves.reference_geography, leaves.year, region.region_code) as integer) as place_number,
    cast(dense_rank() over (order by leaves.reference_geography, leaves.year, leaves.region_code) as integer) as leaf_number,
    leaves.reference_geography,
    leaves.year,
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
    and residents.year = leaves.year
    and residents.region_code = leaves.region_code
left join registered
    on registered.reference_geography = leaves.reference_geography
    and registered.year = leaves.year
    and registered.region_code = leaves.region_code
    and registered.place = 1
left join chosen_residents as whole
    on whole.reference_geography = leaves.reference_geography
    and whole.year = leaves.year
    and whole.region_code = region.region_code
