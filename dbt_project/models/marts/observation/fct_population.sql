select
    population.region_code,
    region.region_name,
    region.region_level,
    region.region_depth,
    population.reference_geography,
    population.period_end as reference_date,
    population.year,
    cast(population.year as {{ dbt.type_string() }}) as period_name,
    population.population_source,
    population.population_basis,
    population.residence,
    population.sex,
    population.age_group,
    population.value as population,
    population.derivation,
    population.measure,
    population.obs_status,
    'F' as conf_status,
    population.provenance,
    population.observation_id
from {{ ref('int_population__choose') }} as population
left join {{ ref('int_region__date') }} as region
    on region.reference_geography = population.reference_geography
    and region.as_of_date = population.as_of_date
    and region.region_code = population.region_code
