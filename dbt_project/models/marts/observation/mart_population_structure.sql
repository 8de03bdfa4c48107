{% set whole = "max(case when people.breakdown = 'all' then people.NAME end) over (
        partition by people.region_code, people.reference_date, people.population_source)" %}
-- How many people live and are registered in a region, by residence, sex and age, on the regions of the main reading.
with people as (
    select
        region_code,
        reference_geography,
        as_of_date,
        period_end as reference_date,
        year,
        population_source,
        {{ breakdown('residence', 'sex', 'age_group', "'all'") }} as breakdown,
        {% for basis in ['resident', 'registered'] %}
        max(case when population_basis = '{{ basis }}' then value end) as {{ basis }},
        max(case when population_basis = '{{ basis }}' then obs_status end) as {{ basis }}_status,
        {% endfor %}
        {{ provenance_of_rows('provenance') }} as provenance
    from {{ ref('int_population__choose') }}
    where reference_geography = (
        select boundaries from {{ ref('figure_variant') }} where is_main and subject_kind = 'indicator'
    )
    group by region_code, reference_geography, as_of_date, period_end, year, population_source, residence, sex, age_group
)

select
    {{ region_columns('people') }},
    people.year,
    cast(people.year as {{ dbt.type_string() }}) as period_name,
    people.reference_date,
    people.population_source,
    people.breakdown,
    part.name_zh as breakdown_name_zh,
    part.name_en as breakdown_name_en,
    people.resident as residents,
    people.registered,
    100e0 * {{ divide('people.resident', whole | replace('NAME', 'resident')) }} as residents_share_pct,
    100e0 * {{ divide('people.registered', whole | replace('NAME', 'registered')) }} as registered_share_pct,
    people.resident_status as residents_status,
    people.registered_status,
    'F' as conf_status,
    people.provenance
from people
inner join {{ ref('dim_breakdown') }} as part
    on part.breakdown = people.breakdown
{{ joins_region('people') }}
