-- What was spent on a domain for the people of a region in a year, per resident and per registered person, and in prices of
-- the base year, and per user where the domain declares its users; beside every row what of its domain is attributed to
-- neither town nor country.
with spending as (
    select * from {{ ref('figure_spending') }} where variant = 'main'
),

-- the variants that differ from `main` in one choice, whatever they are called
{% for name, choice, value in [('registered', 'population_basis', 'registered'), ('constant', 'prices', 'constant')] %}
{{ name }} as (
    select figure.*
    from {{ ref('figure_spending') }} as figure
    inner join {{ variants_of('spending') }} as variant
        on variant.variant = figure.variant
        and variant.changes = 1
        and variant.is_new_{{ choice }}
        and variant.{{ choice }} = '{{ value }}'
),

{% endfor %}
unattributed as (
    select * from spending where residence = 'unattributed'
)

select
    {{ region_columns('spending') }},
    {{ period_columns('spending') }},
    spending.domain,
    {{ domain_names('spending.domain', 'domain') }},
    spending.residence,
    spending.government_levels,
    setting.currency,
    spending.spending,
    unattributed.spending as unattributed_spending,
    spending.population as residents,
    registered.population as registered,
    {{ divide('spending.population', 'registered.population') }} as residents_per_registered,
    spending.per_head as per_resident,
    registered.per_head as per_registered,
    constant.per_head as per_resident_constant_prices,
    per_user.users,
    domain.users_name_zh,
    domain.users_name_en,
    per_user.per_user,
    spending.budget_share_pct,
    spending.population_date,
    spending.spending_status,
    spending.obs_status,
    spending.undefined_reason,
    registered.obs_status as registered_status,
    per_user.obs_status as per_user_status,
    case when per_user.subject_code is null then 'no_users_declared' else per_user.undefined_reason end as per_user_reason,
    'F' as conf_status,
    spending.spending_provenance,
    spending.provenance,
    registered.provenance as registered_provenance,
    per_user.provenance as per_user_provenance
from spending
cross join {{ ref('stg_setting') }} as setting
{{ joins_region('spending') }}
{{ joins_domain('spending.domain') }}
{% for name in ['registered', 'constant'] %}
left join {{ name }}
    on {{ name }}.region_id = spending.region_id
    and {{ name }}.year_start = spending.year_start
    and {{ name }}.domain = spending.domain
    and {{ name }}.residence = spending.residence
{% endfor %}
left join unattributed
    on unattributed.region_id = spending.region_id
    and unattributed.year_start = spending.year_start
    and unattributed.domain = spending.domain
left join {{ ref('figure_per_user') }} as per_user
    on per_user.variant = spending.variant
    and per_user.region_id = spending.region_id
    and per_user.year_start = spending.year_start
    and per_user.domain = spending.domain
    and per_user.residence = spending.residence
