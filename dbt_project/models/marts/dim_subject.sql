-- What figures are about: every indicator, and by domain spending per head, its share of the budget, the degree of
-- equalisation, the composite index, and spending per user where the domain says who they are. `decimals` are those that
-- every page and sentence shows; a degree is cut to them, not rounded (`is_cut`), so that what misses its target by a hair does not read as met.
with domains as (
    select domain, name_zh, name_en, sort_order from {{ source('source', 'domain') }}
    union all
    select 'all', '总体', 'Overall', -2
    union all
    select 'basic', '基本公共服务', 'Basic services together', -1
),

kinds as (
    select 1 as kind_order, 'degree' as subject_kind, 'degree.' as prefix, '均等化实现度' as zh, 'Equalisation degree' as en,
        '%' as unit, 'higher' as direction, 2 as decimals, '各指标目标实现度的加权平均' as formula_zh,
        'weighted mean of the attainments of targets' as formula_en
    union all
    select 2, 'index', 'index.', '综合指数', 'Composite index', '1', 'higher', 1, '基年全域为100', 'the home region in the base year = 100'
    union all
    select 3, 'spending', 'spending.', '人均支出', 'Spending per head', setting.currency, cast(null as string), 0,
        '支出 ÷ 人口', 'spending / people'
    from {{ ref('stg_setting') }} as setting
    union all
    select 4, 'budget_share', 'budget_share.', '支出占比', 'Share of spending', '%', cast(null as string), 1,
        '该领域支出 ÷ 全部支出', 'spending of the domain / all spending'
),

sizes as (
    select indicator_code, percentile_disc(0.5) within group (order by abs(value)) as size
    from {{ ref('figure_indicator') }}
    where value is not null
    group by indicator_code
)

select
    {{ dbt.concat(['kinds.prefix', 'domains.domain']) }} as subject_code,
    kinds.subject_kind,
    domains.domain,
    cast(null as string) as service,
    {{ dbt.concat(['kinds.zh', "'：'", 'domains.name_zh']) }} as name_zh,
    {{ dbt.concat(['kinds.en', "': '", 'lower(domains.name_en)']) }} as name_en,
    kinds.unit,
    kinds.direction,
    kinds.decimals,
    kinds.subject_kind = 'degree' as is_cut,
    kinds.formula_zh,
    kinds.formula_en,
    kinds.subject_kind in ('spending', 'degree', 'index') as is_of_territory,
    cast(kinds.kind_order * 1000 + domains.sort_order as integer) as sort_order
from kinds
cross join domains

union all

select
    {{ dbt.concat(["'per_user.'", 'domain']) }},
    'per_user',
    domain,
    cast(null as string),
    {{ dbt.concat(["'按使用者平均的支出：'", 'name_zh', "'（'", 'users_name_zh', "'）'"]) }},
    {{ dbt.concat(["'Spending per user: '", 'lower(name_en)', "' ('", 'users_name_en', "')'"]) }},
    setting.currency,
    cast(null as string),
    0,
    false,
    {{ dbt.concat(["'支出 ÷ '", 'users_name_zh']) }},
    {{ dbt.concat(["'spending / '", 'users_name_en']) }},
    true,
    cast(5000 + sort_order as integer)
from {{ source('source', 'domain') }}
cross join {{ ref('stg_setting') }} as setting
where users is not null

union all

select
    indicator.indicator_code,
    'indicator',
    indicator.domain,
    indicator.service,
    indicator.name_zh,
    indicator.name_en,
    indicator.unit,
    indicator.direction,
    case when sizes.size >= 1000 then 0 when sizes.size >= 20 then 1 when sizes.size >= 0.5 then 2 else 3 end,
    false,
    {{ dbt.concat(["coalesce(indicator.numerator_text, '')", "' ÷ '", "coalesce(indicator.denominator_text, '')"]) }},
    {{ dbt.concat(["coalesce(indicator.numerator_text, '')", "' / '", "coalesce(indicator.denominator_text, '')"]) }},
    true,
    cast(10000 + 100 * domains.sort_order + row_number() over (partition by indicator.domain order by indicator.indicator_code) as integer)
from {{ source('source', 'indicator') }} as indicator
left join domains
    on domains.domain = indicator.domain
left join sizes
    on sizes.indicator_code = indicator.indicator_code
