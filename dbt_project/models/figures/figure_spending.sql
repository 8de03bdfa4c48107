-- Spending of a region in a year on a domain, of one residence, beside its people, in every variant: what was spent, for
-- how many, per head, and its share of all spending of the same account. Prices of the base year by the index of the
-- region or of the nearest one above it. Where a source sets a whole domain apart as unattributed, its zeros for town and
-- country say that nobody told them apart: they are missing, not nothing.
with variants as (
    select variants.*, setting.base_year
    from {{ variants_of('spending') }} as variants
    cross join {{ ref('stg_setting') }} as setting
),

accounts as (
    select
        spending.*,
        sum(case when residence in ('urban', 'rural') then abs(value) end) over (
            partition by region_code, reference_geography, year_start, fund, account_stage, government_level, domain
        ) = 0
        and max(case when residence = 'unattributed' then abs(value) end) over (
            partition by region_code, reference_geography, year_start, fund, account_stage, government_level, domain
        ) > 0 as is_unattributed
    from {{ ref('int_spending__choose_whole') }} as spending
),

-- the levels of government in a region: those whose money is in all of its spending
governments as (
    select tree.reference_geography, tree.as_of_date, tree.ancestor_code as region_code,
        {{ texts_in_order('region.government_level') }} as government_levels
    from {{ ref('int_region__tree') }} as tree
    inner join {{ ref('int_region__date') }} as region
        on region.reference_geography = tree.reference_geography
        and region.as_of_date = tree.as_of_date
        and region.region_code = tree.region_code
    where region.government_level is not null
    group by tree.reference_geography, tree.as_of_date, tree.ancestor_code
),

chosen as (
    select
        variants.variant,
        variants.population_basis,
        variants.population_source,
        variants.prices,
        variants.is_new_population_basis or variants.is_new_population_source as takes_other_people,
        region.region_id,
        region.region_depth,
        case when variants.government_level = 'own' then region.government_level else governments.government_levels end
            as government_levels,
        accounts.region_code,
        accounts.reference_geography,
        accounts.as_of_date,
        accounts.year,
        accounts.year_start,
        accounts.period_end,
        accounts.domain,
        accounts.residence,
        accounts.is_unattributed and accounts.residence in ('urban', 'rural') as is_untold,
        accounts.value,
        accounts.obs_status,
        accounts.is_partial_year,
        accounts.provenance,
        accounts.origin
    from accounts
    inner join {{ ref('int_region__date') }} as region
        on region.reference_geography = accounts.reference_geography
        and region.as_of_date = accounts.as_of_date
        and region.region_code = accounts.region_code
    inner join variants
        on variants.boundaries = accounts.reference_geography
        and variants.fund = accounts.fund
        and variants.account_stage = accounts.account_stage
        and case when variants.government_level = 'own' then region.government_level else variants.government_level end
            = accounts.government_level
    left join governments
        on governments.reference_geography = accounts.reference_geography
        and governments.as_of_date = accounts.as_of_date
        and governments.region_code = accounts.region_code
),

levels_of_prices as (
    select
        tree.reference_geography,
        tree.as_of_date,
        tree.region_code,
        price.year,
        price.price_level,
        price.price_index_origin
    from {{ ref('int_region__tree') }} as tree
    inner join {{ ref('int_price__chain') }} as price
        on price.region_code = tree.ancestor_code
    qualify row_number() over (
        partition by tree.reference_geography, tree.as_of_date, tree.region_code, price.year order by tree.distance
    ) = 1
),

priced as (
    select
        {% for column in ['variant', 'population_basis', 'population_source', 'prices',
                          'takes_other_people', 'region_id', 'region_depth', 'government_levels',
                          'region_code', 'reference_geography', 'as_of_date', 'year', 'year_start', 'period_end', 'domain',
                          'residence', 'is_untold', 'obs_status', 'is_partial_year', 'provenance', 'origin'] %}
        chosen.{{ column }},
        {% endfor %}
        case
            when chosen.is_untold then null
            when chosen.prices = 'constant' then {{ exact(divide('chosen.value', 'prices.price_level')) }}
            else chosen.value
        end as spending,
        prices.price_level,
        prices.price_index_origin
    from chosen
    left join levels_of_prices as prices
        on chosen.prices = 'constant'
        and prices.reference_geography = chosen.reference_geography
        and prices.as_of_date = chosen.as_of_date
        and prices.region_code = chosen.region_code
        and prices.year = chosen.year
),

per_head as (
    select
        priced.*,
        populations.population,
        populations.population_date,
        populations.obs_status as population_status,
        {{ provenance_of(['priced.provenance', 'populations.provenance']) }} as figure_provenance,
        {{ divide('priced.spending', 'populations.population') }} as per_head,
        max(case when priced.domain = 'all' then priced.spending end) over (
            partition by priced.variant, priced.region_code, priced.year_start, priced.residence
        ) as all_spending
    from priced
    left join {{ ref('int_population__choose_years') }} as populations
        on populations.reference_geography = priced.reference_geography
        and populations.region_code = priced.region_code
        and populations.year_start = priced.year_start
        and populations.residence = priced.residence
        and populations.population_basis = priced.population_basis
        and populations.population_source = priced.population_source
        and populations.residence <> 'unattributed'
)

select
    variant, region_id, region_code, region_depth, reference_geography, as_of_date, year, year_start, period_end, domain,
    residence, government_levels, spending, all_spending, population, population_date, per_head,
    100e0 * {{ divide('spending', 'all_spending') }} as budget_share_pct,
    population_basis, population_source, takes_other_people, prices, origin, price_level, price_index_origin,
    case
        when is_untold then 'L'
        -- nobody knows the prices of that year
        when spending is null and obs_status not in ('O', 'L', 'M', 'Q') then 'O'
        else obs_status
    end as spending_status,
    case
        when is_untold then 'L'
        when spending is not null and (residence = 'unattributed' or population = 0) then 'M'
        else {{ status_of_year(joined_statuses(['obs_status', 'population_status']), 'per_head', 'is_partial_year') }}
    end as obs_status,
    case
        when per_head is not null then null
        when is_untold then 'not_attributed'
        when spending is null and prices = 'constant' and price_index_origin is null and obs_status not in ('O', 'L', 'M', 'Q')
            then 'no_price_index'
        when spending is null and obs_status = 'Q' then 'suppressed'
        when spending is null and is_partial_year then 'partial_year'
        when spending is null and obs_status = 'M' then 'cannot_exist'
        when spending is null then 'spending_missing'
        when residence = 'unattributed' then 'nobody_attributed'
        when population = 0 then 'population_is_zero'
        when population_status is null then 'no_population'
        else 'population_missing'
    end as undefined_reason,
    provenance as spending_provenance,
    figure_provenance as provenance
from per_head
-- a variant that takes other people has nothing to say where nobody counts them
where not takes_other_people or population_status is not null
