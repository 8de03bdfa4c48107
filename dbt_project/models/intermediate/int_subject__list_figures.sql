-- What is compared between places and residences: indicators, and spending per head by domain, in one shape and for
-- everybody. Of several sources of the population behind a figure one is taken, the same for all regions of a level and
-- year; where an indicator is about one residence only, that stands for the whole (`is_main`).
{% set subject = ['subject_kind', 'subject_code', 'reference_geography', 'year', 'population_basis', 'price_basis'] %}

with figures as (
    select
        'indicator' as subject_kind,
        indicator_code as subject_code,
        region_code,
        region_depth,
        reference_geography,
        reference_date,
        year,
        period_name,
        period_start as year_start,
        population_basis,
        population_source,
        'none' as price_basis,
        residence,
        value as estimate,
        unit,
        direction,
        obs_status,
        undefined_reason,
        provenance
    from {{ ref('mart_service_coverage') }}
    where sex = 'all' and age_group = 'all' and {{ quoted('group') }} = 'all'

    union all

    select
        'spending',
        domain,
        region_code,
        region_depth,
        reference_geography,
        reference_date,
        year,
        period_name,
        period_start,
        population_basis,
        population_source,
        price_basis,
        residence,
        per_capita,
        currency,
        'higher',
        obs_status,
        undefined_reason,
        provenance
    from {{ ref('mart_per_capita_spending') }}
    where
        government_level = 'all'
        and population_basis <> 'none'
        and {{ main_account() }}
),

headings as (
    select
        {{ subject | join(', ') }},
        region_depth,
        population_source,
        -- numbered where there are fewest rows: sets of places are told apart by numbers instead of six texts
        dense_rank() over (order by {{ subject | join(', ') }}) as subject_number,
        max(case when residence = 'total' then 1 else 0 end) as has_total,
        max(case when residence = 'urban' then 1 else 0 end) as has_urban,
        max(case when residence = 'rural' then 1 else 0 end) as has_rural,
        row_number() over (
            partition by {{ subject | join(', ') }}, region_depth
            order by {{ source_rank('population_source', 'max(setting.meant_source)') }}
        ) as place
    from figures
    cross join (select population_source as meant_source from {{ ref('stg_setting') }}) as setting
    group by {{ subject | join(', ') }}, region_depth, population_source
)

select
    figures.*,
    headings.subject_number,
    figures.residence = case
        when headings.has_total = 1 then 'total'
        when headings.has_rural = 0 then 'urban'
        when headings.has_urban = 0 then 'rural'
        else 'total'
    end as is_main,
    headings.has_urban = 1 and headings.has_rural = 1 and figures.residence in ('urban', 'rural') as is_gap
from figures
inner join headings
    on headings.place = 1
    and headings.region_depth = figures.region_depth
    and headings.population_source = figures.population_source
    {% for column in subject %}
    and headings.{{ column }} = figures.{{ column }}
    {% endfor %}
