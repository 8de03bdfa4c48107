-- How many people a region has on a day, by the source that counted them: residents with their part in town and country, and
-- registered people, side by side. Regions are those of the day.
with people as (
    select
        region_code,
        reference_geography,
        as_of_date,
        population_source,
        period_end as reference_date,
        max(year) as year,
        {% for name, basis, residence in [('residents', 'resident', 'total'), ('urban', 'resident', 'urban'),
                                          ('rural', 'resident', 'rural'), ('registered', 'registered', 'total')] %}
        max(case when population_basis = '{{ basis }}' and residence = '{{ residence }}' then value end) as {{ name }},
        max(case when population_basis = '{{ basis }}' and residence = '{{ residence }}' then obs_status end) as {{ name }}_status,
        max(case when population_basis = '{{ basis }}' and residence = '{{ residence }}' then provenance end) as {{ name }}_provenance{{ ',' if not loop.last }}
        {% endfor %}
    from {{ ref('int_population__choose') }}
    where
        reference_geography = 'reported'
        and sex = 'all'
        and age_group = 'all'
        and population_basis in ('resident', 'registered')
        and residence in ('total', 'urban', 'rural')
    group by region_code, reference_geography, as_of_date, population_source, period_end
)

select
    {{ region_columns('people') }},
    people.reference_date,
    people.population_source,
    people.year,
    cast(people.year as {{ dbt.type_string() }}) as period_name,
    people.residents,
    people.urban,
    people.rural,
    {{ divide('100 * people.urban', 'people.residents') }} as urban_pct,
    people.registered,
    {{ divide('people.residents', 'people.registered') }} as residents_per_registered,
    people.residents_status,
    people.registered_status,
    people.residents_provenance,
    people.urban_provenance,
    people.registered_provenance,
    'F' as conf_status,
    case
        when 'synthetic' in (
            coalesce(people.residents_provenance, ''), coalesce(people.urban_provenance, ''),
            coalesce(people.rural_provenance, ''), coalesce(people.registered_provenance, '')
        ) then 'synthetic'
        else 'official'
    end as provenance
from people
{{ joins_region('people') }}
where people.residents is not null or people.registered is not null
