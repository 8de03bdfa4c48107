-- What is compared between places and residences: indicators, and spending per head by domain, in one shape, in the
-- variants that inequality or the gap between town and country is computed for. `is_main` is the figure of everybody;
-- `is_gap` is one of town or country where both are known.
{% set subject = ['subject_kind', 'subject_code', 'variant', 'year'] %}

with variants as (
    select distinct variant
    from {{ ref('figure_variant') }}
    where subject_kind in ('inequality', 'gap')
),

figures as (
    select
        'indicator' as subject_kind,
        figure.indicator_code as subject_code,
        figure.variant,
        figure.region_code,
        figure.region_depth,
        figure.reference_geography,
        figure.as_of_date,
        figure.period_end as reference_date,
        figure.year,
        figure.year_start,
        figure.population_basis,
        figure.population_source,
        figure.breakdown,
        figure.residence,
        figure.value as estimate,
        figure.unit,
        figure.direction,
        figure.obs_status,
        figure.undefined_reason,
        figure.provenance
    from {{ ref('figure_indicator') }} as figure
    where figure.breakdown in ('all', 'residence=urban', 'residence=rural')

    union all

    select
        'spending', figure.domain, figure.variant, figure.region_code, figure.region_depth, figure.reference_geography,
        figure.as_of_date, figure.period_end, figure.year, figure.year_start, figure.population_basis,
        figure.population_source,
        case figure.residence when 'total' then 'all' else {{ dbt.concat(["'residence='", 'figure.residence']) }} end,
        figure.residence, figure.per_head, setting.currency, 'higher', figure.obs_status,
        figure.undefined_reason, figure.provenance
    from {{ ref('figure_spending') }} as figure
    cross join {{ ref('stg_setting') }} as setting
    where figure.residence <> 'unattributed'
)

select
    figures.*,
    {{ year_name('figures.year_start') }} as period_name,
    -- sets of places are told apart by numbers instead of four texts
    dense_rank() over (order by {{ subject | join(', ') }}) as subject_number,
    figures.breakdown = 'all' as is_main,
    figures.breakdown <> 'all'
        and count(case when figures.breakdown = 'residence=urban' then 1 end) over (
            partition by {{ subject | join(', ') }}, figures.region_depth
        ) > 0
        and count(case when figures.breakdown = 'residence=rural' then 1 end) over (
            partition by {{ subject | join(', ') }}, figures.region_depth
        ) > 0 as is_gap
from figures
where figures.variant in (select variant from variants)
