-- For each date that numbers are about: from the regions in force then to those of each reference geography, with the
-- weight that figures go there with, and how many regions make up each (`sources`: all of them have to report).
-- A region above others goes over as it is only if the same land lies below it on both lists, or if the changes name it
-- itself; else it has no row here and is summed from the regions below it.
with moved as (
    select
        region.as_of_date,
        succession.reference_geography,
        region.region_code,
        succession.to_code,
        succession.weight,
        succession.is_estimated,
        succession.is_listed,
        succession.is_known
    from {{ ref('int_region__date') }} as region
    inner join {{ ref('int_region__succession') }} as succession
        on succession.region_code = region.region_code
        and succession.valid_from <= region.as_of_date
        and (succession.valid_to is null or succession.valid_to > region.as_of_date)
    where region.reference_geography = 'reported'
),

-- the land before: a county above others that became one of its own is none, and a body without land (police, fire) is
-- none wherever it is listed
leaves as (
    select moved.*
    from moved
    inner join (
        select distinct as_of_date, region_code
        from {{ ref('int_region__tree') }}
        where reference_geography = 'reported' and is_leaf and leaves > 0
    ) as land
        on land.as_of_date = moved.as_of_date
        and land.region_code = moved.region_code
),

-- a leaf with a region above it, before and after
lines_above as (
    select leaves.as_of_date, leaves.reference_geography, leaves.region_code, leaves.to_code, tree.ancestor_code
    from leaves
    inner join {{ ref('int_region__tree') }} as tree
        on tree.reference_geography = 'reported'
        and tree.as_of_date = leaves.as_of_date
        and tree.region_code = leaves.region_code
        and tree.distance > 0

    union all

    select leaves.as_of_date, leaves.reference_geography, leaves.region_code, leaves.to_code, tree.ancestor_code
    from leaves
    inner join {{ source('source', 'reference_geography') }} as geography
        on geography.reference_geography = leaves.reference_geography
    inner join {{ ref('int_region__tree') }} as tree
        on tree.reference_geography = leaves.reference_geography
        and tree.as_of_date = geography.as_of_date
        and tree.region_code = leaves.to_code
        and tree.distance > 0
),

changed as (
    select distinct as_of_date, reference_geography, ancestor_code
    from (
        select as_of_date, reference_geography, region_code, to_code, ancestor_code
        from lines_above
        group by as_of_date, reference_geography, region_code, to_code, ancestor_code
        having count(*) = 1
    ) as one_sided
),

kept as (
    select
        moved.*,
        changed.ancestor_code is not null as is_changed,
        count(case when moved.is_listed then 1 end) over (
            partition by moved.as_of_date, moved.reference_geography, moved.to_code
        ) as listed
    from moved
    left join changed
        on changed.as_of_date = moved.as_of_date
        and changed.reference_geography = moved.reference_geography
        and changed.ancestor_code = moved.region_code
)

select
    as_of_date,
    reference_geography,
    region_code,
    to_code,
    weight,
    count(*) over (partition by as_of_date, reference_geography, to_code) as sources,
    is_estimated,
    is_known
from kept
where not is_changed or listed > 0
