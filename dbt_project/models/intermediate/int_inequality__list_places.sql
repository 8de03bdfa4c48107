-- The sets of places that are compared, a row per place.
--   by level      all regions of one level in a scope; the part of a place is the region right below the scope that it
--                 lies in, so that inequality falls into within and between
--   by group      the members of one group of regions (dated) against the rest of their level in the scope; kinds of
--                 regions overlap, so each is compared by itself and none are decomposed together
--   by residence  urban against rural in one scope
-- What is compared has its number from int_subject__list_figures; a set is numbered by it, its scope and its dimension.
with figures as (
    select
        figure.*,
        -- what is about no population, or about a target group, is weighted by the people of the jurisdiction's basis
        case
            when figure.population_basis in ('resident', 'registered') then figure.population_basis
            else coalesce(setting.default_population_basis, 'resident')
        end as weight_basis
    from {{ ref('int_subject__list_figures') }} as figure
    inner join {{ variants_of('inequality') }} as variant
        on variant.variant = figure.variant
    cross join {{ ref('stg_setting') }} as setting
    where figure.is_main or figure.is_gap
),

people as (
    select
        region_code, region_depth, reference_geography, year_start, population_basis, population_source, residence,
        population, population_date
    from {{ ref('int_population__choose_years') }}
    where population is not null
),

-- where a figure names no source of a population: the first there is, one for all regions of a level
people_sources as (
    select
        people.region_depth, people.reference_geography, people.year_start, people.population_basis, people.residence,
        people.population_source,
        row_number() over (
            partition by
                people.region_depth, people.reference_geography, people.year_start, people.population_basis,
                people.residence
            order by {{ source_rank('people.population_source', 'max(setting.population_source)') }}
        ) as place
    from people
    cross join {{ ref('stg_setting') }} as setting
    group by
        people.region_depth, people.reference_geography, people.year_start, people.population_basis, people.residence,
        people.population_source
),

-- what orders the places of another subject: its figure on the same list of regions, as `main` has it
orderings as (
    select figures.subject_code, figures.region_code, figures.reference_geography, figures.year, figures.estimate
    from figures
    where figures.is_main
    qualify row_number() over (
        partition by figures.subject_code, figures.region_code, figures.reference_geography, figures.year
        order by case when figures.variant = 'main' then 0 else 1 end, figures.variant
    ) = 1
),

places as (
    select
        figures.*,
        people.population as weight,
        orderings.estimate as order_value,
        coalesce({{ dbt.concat(["';'", "indicator.inequality_measures", "';'"]) }}, '') as measures_asked
    from figures
    left join people_sources
        on figures.population_source = 'none'
        and people_sources.place = 1
        and people_sources.region_depth = figures.region_depth
        and people_sources.reference_geography = figures.reference_geography
        and people_sources.year_start = figures.year_start
        and people_sources.population_basis = figures.weight_basis
        and people_sources.residence = figures.residence
    left join people
        on people.region_code = figures.region_code
        and people.reference_geography = figures.reference_geography
        and people.year_start = figures.year_start
        and people.population_basis = figures.weight_basis
        and people.population_source = coalesce(people_sources.population_source, figures.population_source)
        and people.residence = figures.residence
    left join {{ source('source', 'indicator') }} as indicator
        on figures.subject_kind = 'indicator'
        and indicator.indicator_code = figures.subject_code
    left join orderings
        on orderings.subject_code = indicator.inequality_ordering
        and orderings.region_code = figures.region_code
        and orderings.reference_geography = figures.reference_geography
        and orderings.year = figures.year
    where figures.is_main
),

-- a depth is called by its commonest level: what stands beside it (a zone among counties) is compared with the others
dimensions as (
    select
        region_depth, region_level,
        dense_rank() over (order by region_level) as dimension_number
    from (
        select
            region_depth, region_level,
            row_number() over (partition by region_depth order by count(*) desc, region_level) as place
        from {{ source('source', 'region') }}
        group by region_depth, region_level
    ) as counted
    where place = 1
),

scopes as (
    select
        reference_geography, as_of_date, region_code, ancestor_code, distance,
        dense_rank() over (order by ancestor_code) as scope_number
    from {{ ref('int_region__tree') }}
    where distance >= 1
),

in_scopes as (
    select
        tree.ancestor_code as scope_code,
        tree.scope_number,
        part.ancestor_code as part_code,
        places.*
    from places
    inner join scopes as tree
        on tree.reference_geography = places.reference_geography
        and tree.as_of_date = places.as_of_date
        and tree.region_code = places.region_code
    left join scopes as part
        on part.reference_geography = tree.reference_geography
        and part.as_of_date = tree.as_of_date
        and part.region_code = tree.region_code
        and part.distance = tree.distance - 1
),

group_members as (
    select
        group_code, region_code, valid_from, valid_to,
        dense_rank() over (order by group_code) as group_number
    from {{ source('source', 'region_group') }}
    group by group_code, region_code, valid_from, valid_to
),

group_scopes as (
    select distinct
        group_members.group_code, group_members.group_number, in_scopes.scope_code, in_scopes.region_depth, in_scopes.reference_geography,
        in_scopes.reference_date
    from in_scopes
    inner join group_members
        on group_members.region_code = in_scopes.region_code
        and group_members.valid_from <= in_scopes.reference_date
        and (group_members.valid_to is null or group_members.valid_to > in_scopes.reference_date)
),

compared as (
    select
        scope_number, dimension_number, subject_number,
        scope_code,
        dimensions.region_level as dimension,
        region_code as place_code,
        part_code,
        cast(null as integer) as part_position,
        as_of_date, population_source, residence, estimate, weight, order_value, measures_asked, obs_status, provenance
    from in_scopes
    inner join dimensions
        on dimensions.region_depth = in_scopes.region_depth

    union all

    select
        -- levels have positive numbers, groups negative ones, residence has none
        in_scopes.scope_number, -group_scopes.group_number, in_scopes.subject_number,
        in_scopes.scope_code,
        group_scopes.group_code,
        in_scopes.region_code,
        case when group_members.region_code is null then 'rest' else 'member' end,
        case when group_members.region_code is null then 2 else 1 end,
        in_scopes.as_of_date, in_scopes.population_source, in_scopes.residence, in_scopes.estimate, in_scopes.weight,
        in_scopes.order_value, in_scopes.measures_asked, in_scopes.obs_status, in_scopes.provenance
    from in_scopes
    inner join group_scopes
        on group_scopes.scope_code = in_scopes.scope_code
        and group_scopes.region_depth = in_scopes.region_depth
        and group_scopes.reference_geography = in_scopes.reference_geography
        and group_scopes.reference_date = in_scopes.reference_date
    left join group_members
        on group_members.group_code = group_scopes.group_code
        and group_members.region_code = in_scopes.region_code
        and group_members.valid_from <= in_scopes.reference_date
        and (group_members.valid_to is null or group_members.valid_to > in_scopes.reference_date)

    union all

    select
        whole.scope_number, 0, figures.subject_number,
        figures.region_code,
        'residence',
        figures.residence,
        figures.residence,
        case figures.residence when 'urban' then 1 else 2 end,
        figures.as_of_date, figures.population_source, 'total', figures.estimate,
        -- each part is one place: no weight has a say
        cast(1 as decimal(28, 9)),
        cast(null as double), '', figures.obs_status, figures.provenance
    from figures
    inner join (
        select distinct reference_geography, as_of_date, ancestor_code, scope_number
        from scopes
    ) as whole
        on whole.reference_geography = figures.reference_geography
        and whole.as_of_date = figures.as_of_date
        and whole.ancestor_code = figures.region_code
    where figures.is_gap
),

-- so many numbers are there of each kind: with them three numbers make one, and no rows need sorting
numbers as (
    select
        (select coalesce(max(scope_number), 0) + 1 from scopes) as scopes,
        (select coalesce(max(subject_number), 0) + 1 from figures) as subjects
)

select
    (compared.dimension_number * numbers.scopes + compared.scope_number) * numbers.subjects + compared.subject_number
        as set_number,
    compared.subject_number,
    compared.scope_code, compared.dimension, compared.place_code, compared.part_code, compared.part_position,
    compared.as_of_date, compared.population_source, compared.residence, compared.estimate, compared.weight,
    compared.order_value, compared.measures_asked, compared.obs_status, compared.provenance
from compared
cross join numbers
