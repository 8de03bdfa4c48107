-- The same in every other variant: other people, other prices, another list of regions, another account.
select
    spending.variant,
    spending.reference_geography as boundaries,
    {{ region_columns('spending') }},
    {{ period_columns('spending') }},
    spending.domain,
    {{ domain_names('spending.domain', 'domain') }},
    spending.residence,
    setting.currency,
    spending.spending,
    spending.population,
    spending.per_head,
    spending.budget_share_pct,
    spending.population_date,
    spending.price_index_origin,
    spending.spending_status,
    spending.obs_status,
    spending.undefined_reason,
    'F' as conf_status,
    spending.provenance
from {{ ref('figure_spending') }} as spending
cross join {{ ref('stg_setting') }} as setting
{{ joins_region('spending') }}
{{ joins_domain('spending.domain') }}
where spending.variant <> 'main'
