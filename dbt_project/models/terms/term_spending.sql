-- What spending is made of: figures of money and people; money of all levels of government of each level, a level of the
-- accounts of its governments, an account of its classes. What is set apart from town and country where nobody reports it is
-- the total less both.
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
        case figure.residence when 'total' then 'all' else {{ dbt.concat(["'residence='", 'figure.residence']) }} end as breakdown
    from {{ ref('figure_spending') }} as figure
    inner join variants
        on variants.variant = figure.variant
    inner join {{ ref('int_region__date') }} as region
        on region.reference_geography = figure.reference_geography
        and region.as_of_date = figure.as_of_date
        and region.region_code = figure.region_code
    where figure.residence <> 'unattributed'
),

levels as (
    select * from {{ ref('int_spending__add_levels') }}
),

wholes as (
    select * from {{ ref('int_spending__choose_whole') }}
)

select
    {{ figure_id(dbt.concat(["'spending.'", 'domain']), breakdown='breakdown') }} as figure_id,
    'numerator' as role,
    'money' as input_kind,
    {{ money_id('figures.government_level', 'figures') }} as input_id,
    1e0 as weight
from figures
where spending is not null

union all

select
    {{ figure_id(dbt.concat(["'spending.'", 'domain']), breakdown='breakdown') }},
    'denominator', 'population', {{ population_id('figures', 'population_date') }}, 1e0
from figures
where population is not null

union all

select
    {{ figure_id(dbt.concat(["'budget_share.'", 'domain']), breakdown='breakdown') }},
    'numerator', 'money', {{ money_id('figures.government_level', 'figures') }}, 1e0
from figures
where budget_share_pct is not null and domain <> 'all' and not takes_other_people and prices = 'nominal'

union all

select
    {{ figure_id(dbt.concat(["'budget_share.'", 'figures.domain']), 'figures.region_id', 'figures.year', 'figures.breakdown',
                 'figures.variant') }},
    'denominator', 'money', {{ money_id('everything.government_level', 'everything') }}, 1e0
from figures
inner join figures as everything
    on everything.variant = figures.variant
    and everything.region_id = figures.region_id
    and everything.year_start = figures.year_start
    and everything.residence = figures.residence
    and everything.domain = 'all'
where
    figures.budget_share_pct is not null and figures.domain <> 'all' and not figures.takes_other_people
    and figures.prices = 'nominal'
