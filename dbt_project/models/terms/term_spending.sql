-- What spending per head and the share of a domain are made of: money and people, and the level of prices for constant ones.
with variants as (
    select * from {{ variants_of('spending') }}
),

figures as (
    select
        figure.*,
        variants.fund,
        variants.account_stage,
        case
            when variants.government_level <> 'own' then variants.government_level
            else region.government_level
        end as government_level,
        case figure.residence when 'total' then 'all' else {{ dbt.concat(["'residence='", 'figure.residence']) }} end
            as breakdown
    from {{ ref('figure_spending') }} as figure
    inner join variants
        on variants.variant = figure.variant
    inner join {{ ref('int_region__date') }} as region
        on region.reference_geography = figure.reference_geography
        and region.as_of_date = figure.as_of_date
        and region.region_code = figure.region_code
),

shares as (
    select * from figures
    where budget_share_pct is not null and domain <> 'all' and not takes_other_people and prices = 'nominal'
),

everything as (
    select * from figures where domain = 'all'
),

-- per head, and per user of the services of domains that say who these are (their number: term_indicator)
amounts as (
    {% for subject, condition in [('spending', 'true'), ('per_user', 'not takes_other_people')] %}
    select figures.*, {{ dbt.concat(["'" ~ subject ~ ".'", 'figures.domain']) }} as subject_code
    from figures
    {% if subject == 'per_user' %}
    inner join {{ source('source', 'domain') }} as domain
        on domain.domain = figures.domain
        and domain.users is not null
    {% endif %}
    where spending is not null and {{ condition }}
    {{ 'union all' if not loop.last }}
    {% endfor %}
)

select
    'figure' as figure_kind, {{ figure_id('subject_code', breakdown='breakdown') }} as figure_id,
    'numerator' as role,
    'money' as input_kind,
    {{ money_id('amounts.government_level', 'amounts') }} as input_id,
    1e0 as weight
from amounts

union all

select
    'figure' as figure_kind, {{ figure_id('subject_code', breakdown='breakdown') }},
    'prices', 'parameter', {{ key_text(["'price_level'", 'region_code', 'year']) }}, price_level
from amounts
where prices = 'constant'

union all

select
    'figure' as figure_kind, {{ figure_id(dbt.concat(["'spending.'", 'domain']), breakdown='breakdown') }},
    'denominator', 'population', {{ population_id('figures', 'population_date') }}, 1e0
from figures
where population is not null

union all

select
    'figure' as figure_kind, {{ figure_id(dbt.concat(["'budget_share.'", 'domain']), breakdown='breakdown') }},
    'numerator', 'money', {{ money_id('shares.government_level', 'shares') }}, 1e0
from shares

union all

select
    'figure' as figure_kind, {{ figure_id(dbt.concat(["'budget_share.'", 'shares.domain']), 'shares.region_id', 'shares.year', 'shares.breakdown',
                 'shares.variant') }},
    'denominator', 'money', {{ money_id('everything.government_level', 'everything') }}, 1e0
from shares
inner join everything
    on everything.variant = shares.variant
    and everything.region_id = shares.region_id
    and everything.year_start = shares.year_start
    and everything.residence = shares.residence

order by figure_kind, figure_id, role, input_kind, input_id
