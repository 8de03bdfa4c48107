-- The same in every other variant: other people, other prices, another list of regions, another account.
select
    spending.variant,
    spending.reference_geography as boundaries,
    {{ region_columns('spending') }},
    {{ period_columns('spending') }},
    spending.domain,
    {{ domain_names('spending.domain', 'domain') }},
    spending.residence,
    spending.government_levels,
    setting.currency,
    spending.spending,
    spending.population,
    spending.per_head,
    per_user.users,
    domain.users_name_zh,
    domain.users_name_en,
    per_user.per_user,
    spending.budget_share_pct,
    spending.population_date,
    spending.price_index_origin,
    spending.spending_status,
    spending.obs_status,
    spending.undefined_reason,
    case when per_user.subject_code is null then 'no_users_declared' else per_user.undefined_reason end as per_user_reason,
    'F' as conf_status,
    spending.provenance
from {{ ref('figure_spending') }} as spending
cross join {{ ref('stg_setting') }} as setting
{{ joins_region('spending') }}
{{ joins_domain('spending.domain') }}
left join {{ ref('figure_per_user') }} as per_user
    on per_user.variant = spending.variant
    and per_user.region_id = spending.region_id
    and per_user.year_start = spending.year_start
    and per_user.domain = spending.domain
    and per_user.residence = spending.residence
where spending.variant <> 'main'
