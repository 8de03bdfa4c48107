-- What indicators are computed from: every figure as a statement about the whole region. A measure of a government's own
-- level becomes that of the region's own government and all levels below it together; it has a value only when every
-- government there reports it (`is_complete`). The rest passes unchanged: what is reported of a region that has no
-- government of its own is about everybody in it already, and no sum stands beside it.
with figures as (
    select
        figure.*,
        figure.aggregation = 'own_level' and region.government_level is not null as is_own_level
    from {{ ref('int_observation__select_years') }} as figure
    left join {{ ref('int_region__date') }} as region
        on region.reference_geography = figure.reference_geography
        and region.as_of_date = figure.as_of_date
        and region.region_code = figure.region_code
),

governments as (
    select
        tree.reference_geography,
        tree.as_of_date,
        tree.ancestor_code,
        count(*) as governments
    from {{ ref('int_region__tree') }} as tree
    inner join {{ ref('int_region__date') }} as region
        on region.reference_geography = tree.reference_geography
        and region.as_of_date = tree.as_of_date
        and region.region_code = tree.region_code
    where region.government_level is not null
    group by tree.reference_geography, tree.as_of_date, tree.ancestor_code
),

summed as (
    select
        tree.ancestor_code as region_code,
        figures.series_number,
        max(figures.reference_geography) as reference_geography,
        max(figures.as_of_date) as as_of_date,
        {{ exact_sum('figures.value') }} as value,
        {{ status_of_rows('figures.obs_status') }} as letters,
        {{ provenance_of_rows('figures.provenance') }} as provenance,
        case when count(*) = 1 then max(figures.derivation) else 'summed' end as derivation,
        max(figures.extract_rank) as extract_rank,
        {{ any_true('figures.is_partial_year') }} as is_partial_year,
        sum(case when {{ adds_up('figures.value', 'figures.obs_status') }} and not figures.is_partial_year then 1 else 0 end)
            as found
    from figures
    inner join {{ ref('int_region__tree') }} as tree
        on tree.reference_geography = figures.reference_geography
        and tree.as_of_date = figures.as_of_date
        and tree.region_code = figures.region_code
    where figures.is_own_level
    group by tree.ancestor_code, figures.series_number
),

consolidated as (
    select
        summed.*,
        summed.found = governments.governments as is_complete,
        summed.found = governments.governments and summed.value is null as cannot_exist
    from summed
    inner join governments
        on governments.reference_geography = summed.reference_geography
        and governments.as_of_date = summed.as_of_date
        and governments.ancestor_code = summed.region_code
    left join figures as stated
        on stated.series_number = summed.series_number
        and stated.region_code = summed.region_code
        and not stated.is_own_level
    where stated.region_code is null
),

whole as (
    select
        *,
        case when is_complete then value end as whole_value,
        {{ letters_of_sum('letters', 'case when is_complete then value end', 'cannot_exist') }} as whole_letters
    from consolidated
)

select
    region_code, series_number, value, obs_status, provenance, derivation, extract_rank, is_partial_year, population_date,
    true as is_complete
from figures
where not is_own_level

union all

select
    region_code,
    series_number,
    whole_value,
    {{ status_of_year('whole_letters', 'whole_value', 'is_partial_year') }} as obs_status,
    provenance,
    derivation,
    extract_rank,
    is_partial_year,
    cast(null as date),
    is_complete
from whole
