-- Spending beside each population of the same region, year and residence. What is attributed to neither urban nor
-- rural residents has no population: its spending per head cannot exist (M). Final accounts stand in the prices of
-- their year and in those of the base year, by the price index of the region or of the nearest one above it. Where
-- figures are not divided by the residents of mid-year anyway, these stand only beside the spending of all levels in the
-- prices of its year.
with nominal as (
    select
        *,
        'nominal' as price_basis,
        cast(null as string) as price_index_origin,
        -- to divide by: made once, before every sum stands beside each population
        cast(value as double) as amount
    from {{ ref('int_spending__choose_whole') }}
),

prices as (
    select *
    from (
        select
            tree.reference_geography,
            tree.as_of_date,
            tree.region_code,
            price.year,
            price.price_level,
            price.price_index_origin,
            row_number() over (
                partition by tree.reference_geography, tree.as_of_date, tree.region_code, price.year
                order by tree.distance
            ) as place
        from {{ ref('int_region__tree') }} as tree
        inner join {{ ref('int_price__chain') }} as price
            on price.region_code = tree.ancestor_code
    ) as placed
    where place = 1
),

spending as (
    select * from nominal

    union all

    select
        nominal.region_code, nominal.reference_geography, nominal.as_of_date, nominal.period_end, nominal.year,
        nominal.year_start, nominal.fund, nominal.account_stage, nominal.government_level, nominal.residence,
        nominal.domain,
        {{ exact(divide('nominal.amount', 'prices.price_level')) }} as value,
        nominal.obs_status, nominal.is_partial_year, nominal.provenance, nominal.origin,
        cast(setting.base_year as string) as price_basis,
        prices.price_index_origin,
        cast({{ exact(divide('nominal.amount', 'prices.price_level')) }} as double) as amount
    from nominal
    cross join {{ ref('stg_setting') }} as setting
    inner join prices
        on prices.reference_geography = nominal.reference_geography
        and prices.as_of_date = nominal.as_of_date
        and prices.region_code = nominal.region_code
        and prices.year = nominal.year
    where nominal.account_stage = 'final' and nominal.government_level = 'all'
),

populations as (
    select *
    from {{ ref('int_population__choose_years') }}
    where residence <> 'unattributed'
),

shares as (
    select
        part.*,
        100e0 * {{ divide('part.amount', 'everything.amount') }} as budget_share_pct
    from spending as part
    left join spending as everything
        on everything.region_code = part.region_code
        and everything.reference_geography = part.reference_geography
        and everything.year_start = part.year_start
        and everything.fund = part.fund
        and everything.account_stage = part.account_stage
        and everything.government_level = part.government_level
        and everything.residence = part.residence
        and everything.price_basis = part.price_basis
        and everything.domain = 'all'
),

per_head as (
    select
        shares.*,
        coalesce(populations.population_basis, 'none') as population_basis,
        coalesce(populations.population_source, 'none') as population_source,
        populations.population,
        populations.population_date,
        {{ divide('shares.amount', 'populations.population') }} as per_capita,
        {{ joined_statuses(['shares.obs_status', 'populations.obs_status']) }} as letters,
        {{ provenance_of(['shares.provenance', 'populations.provenance']) }} as figure_provenance
    from shares
    cross join {{ ref('stg_setting') }} as setting
    left join populations
        on populations.region_code = shares.region_code
        and populations.reference_geography = shares.reference_geography
        and populations.year_start = shares.year_start
        and populations.residence = shares.residence
        and (
            populations.population_source <> 'mid_year'
            or setting.population_source = 'mid_year'
            or (shares.government_level = 'all' and shares.price_basis = 'nominal')
        )
)

select
    per_head.region_code,
    region.region_name,
    region.region_level,
    region.region_depth,
    per_head.reference_geography,
    per_head.year,
    {{ year_name('per_head.year_start') }} as period_name,
    per_head.year_start as period_start,
    {{ last_day_of_year('per_head.year_start') }} as period_end,
    per_head.period_end as reference_date,
    per_head.domain,
    case per_head.domain when 'all' then '全部支出' when 'basic' then '八大领域合计' else domain.name_zh end
        as domain_name_zh,
    case per_head.domain when 'all' then 'All expenditure' when 'basic' then 'The basic services together'
        else domain.name_en end as domain_name_en,
    per_head.fund,
    per_head.government_level,
    per_head.population_basis,
    per_head.population_source,
    per_head.residence,
    per_head.price_basis,
    per_head.account_stage,
    per_head.value as spending,
    per_head.population,
    per_head.population_date,
    per_head.per_capita,
    setting.currency,
    per_head.budget_share_pct,
    per_head.origin as spending_origin,
    per_head.price_index_origin,
    case
        when per_head.residence = 'unattributed' and per_head.value is not null then 'M'
        when per_head.value is not null and per_head.population = 0 then 'M'
        else {{ status_of_year('per_head.letters', 'per_head.per_capita', 'per_head.is_partial_year') }}
    end as obs_status,
    case
        when per_head.per_capita is not null then null
        when per_head.value is null and per_head.obs_status = 'Q' then 'suppressed'
        when per_head.value is null and per_head.is_partial_year then 'partial_year'
        when per_head.value is null and per_head.obs_status = 'M' then 'cannot_exist'
        when per_head.value is null then 'spending_missing'
        when per_head.residence = 'unattributed' then 'nobody_attributed'
        when per_head.population = 0 then 'population_is_zero'
        when per_head.population_source = 'none' then 'no_population'
        else 'population_missing'
    end as undefined_reason,
    'F' as conf_status,
    per_head.figure_provenance as provenance
from per_head
cross join {{ ref('stg_setting') }} as setting
left join {{ ref('int_region__date') }} as region
    on region.reference_geography = per_head.reference_geography
    and region.as_of_date = per_head.as_of_date
    and region.region_code = per_head.region_code
left join {{ ref('stg_domain') }} as domain
    on domain.domain = per_head.domain
