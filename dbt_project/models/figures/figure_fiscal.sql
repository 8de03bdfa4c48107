-- Fiscal effort of a region and all governments in it: the share of basic services and whether it rises, how much of
-- new resources went to people's livelihood (yearly and since the base year), the share of the region's own government,
-- items paid for as agreed, and regions of a group against the rest. Money is nominal and exact; nothing is compared
-- across a break of the accounts.
{% set account = ['variant', 'region_code'] %}

with totals as (
    select
        variant.variant, spending.region_code, spending.reference_geography, spending.as_of_date, spending.period_end,
        spending.year, spending.year_start, spending.fund, spending.account_stage,
        max(case when spending.domain = 'all' then spending.value end) as total_spending,
        max(case when spending.domain = 'basic' then spending.value end) as basic_spending,
        {{ status_of_rows('spending.obs_status') }} as letters,
        {{ provenance_of_rows('spending.provenance') }} as provenance
    from {{ ref('int_spending__choose_whole') }} as spending
    inner join {{ variants_of('fiscal') }} as variant
        on variant.boundaries = spending.reference_geography
        and variant.fund = spending.fund
        and variant.account_stage = spending.account_stage
    where
        spending.government_level = 'all' and spending.residence = 'total' and spending.domain in ('all', 'basic')
    group by
        variant.variant, spending.region_code, spending.reference_geography, spending.as_of_date, spending.period_end,
        spending.year, spending.year_start, spending.fund, spending.account_stage
),

measured as (
    select
        series.reference_geography,
        figure.region_code,
        series.year,
        test.fund,
        test.account_stage,
        max(case when series.measure = test.livelihood then figure.value end) as livelihood,
        max(case when series.measure = test.resources then figure.value end) as resources,
        max(case when figure.obs_status like '%B%' then 1 else 0 end) as has_break,
        {{ provenance_of_rows('figure.provenance') }} as provenance
    from {{ ref('int_indicator__consolidate_levels') }} as figure
    inner join {{ ref('int_observation__number_series') }} as series
        on series.series_number = figure.series_number
    inner join {{ source('source', 'two_thirds_test') }} as test
        on series.measure in (test.livelihood, test.resources)
    where
        figure.is_complete
        and series.residence = 'total'
        and series.sex = 'all'
        and series.age_group = 'all'
        and series.group_code = 'all'
        and series.item = 'all'
    group by series.reference_geography, figure.region_code, series.year, test.fund, test.account_stage
),

own as (
    select variant, region_code, year, max(share) as own_level_share
    from {{ ref('figure_split') }}
    where subject_kind = 'domain' and subject_code = 'all' and is_own_level
    group by variant, region_code, year
),

items as (
    select
        variant, region_code, year,
        count(*) as items_with_split,
        sum(case when is_kept then 1 else 0 end) as items_kept,
        {{ provenance_of_rows('provenance') }} as provenance
    from (
        select
            variant, region_code, year, subject_code,
            min(case when is_kept then 1 else 0 end) = 1 as is_kept,
            {{ provenance_of_rows('provenance') }} as provenance
        from {{ ref('figure_split') }}
        where subject_kind = 'item'
        group by variant, region_code, year, subject_code
        -- every payer is known and has an agreed share
        having count(*) = count(is_kept) and count(*) = count(agreed_share)
    ) as by_item
    group by variant, region_code, year
),

-- regions of any group, each once however many groups it is in, against the others of their level
members as (
    select distinct totals.reference_geography, totals.period_end, totals.region_code
    from totals
    inner join {{ source('source', 'region_group') }} as member
        on member.region_code = totals.region_code
        and member.valid_from <= totals.period_end
        and (member.valid_to is null or member.valid_to > totals.period_end)
),

people as (
    select *
    from (
        select
            population.region_code, population.reference_geography, population.year_start, population.population,
            population.population_source, population.population_date, population.provenance,
            row_number() over (
                partition by population.region_code, population.reference_geography, population.year_start
                order by {{ source_rank('population.population_source', 'setting.population_source') }}
            ) as place
        from {{ ref('int_population__choose_years') }} as population
        cross join {{ ref('stg_setting') }} as setting
        where
            population.population_basis = coalesce(setting.default_population_basis, 'resident')
            and population.residence = 'total'
            and population.population is not null
    ) as placed
    where place = 1
),

compared as (
    select
        totals.variant,
        tree.ancestor_code as region_code,
        totals.year,
        region.region_depth,
        count(members.region_code) as group_regions,
        count(*) - count(members.region_code) as rest_regions,
        count(*) - count(totals.basic_spending) + count(*) - count(people.population) as gaps,
        sum(case when members.region_code is not null then totals.basic_spending end) as group_spending,
        sum(case when members.region_code is null then totals.basic_spending end) as rest_spending,
        sum(case when members.region_code is not null then people.population end) as group_people,
        sum(case when members.region_code is null then people.population end) as rest_people,
        {{ provenance_of_rows(provenance_of(['totals.provenance', 'people.provenance'])) }} as provenance
    from totals
    inner join {{ ref('int_region__tree') }} as tree
        on tree.reference_geography = totals.reference_geography
        and tree.as_of_date = totals.as_of_date
        and tree.region_code = totals.region_code
        and tree.distance >= 1
    inner join {{ ref('int_region__date') }} as region
        on region.reference_geography = totals.reference_geography
        and region.as_of_date = totals.as_of_date
        and region.region_code = totals.region_code
    left join members
        on members.reference_geography = totals.reference_geography
        and members.period_end = totals.period_end
        and members.region_code = totals.region_code
    left join people
        on people.reference_geography = totals.reference_geography
        and people.region_code = totals.region_code
        and people.year_start = totals.year_start
    group by
        totals.variant, tree.ancestor_code, totals.year, region.region_depth
    having count(members.region_code) > 0
),

-- the deepest level that has members
groups as (
    select *
    from (
        select
            *,
            row_number() over (partition by {{ account | join(', ') }}, year order by region_depth desc) as place
        from compared
    ) as placed
    where place = 1
),

-- land that changed under the same code is another region: its row on the list begins anew
joined as (
    select
        totals.*,
        region.valid_from as region_since,
        measured.livelihood,
        measured.resources,
        test.fund is not null as has_test,
        test.scope_zh,
        test.scope_en,
        measured.provenance as measured_provenance,
        case when totals.letters like '%B%' or coalesce(measured.has_break, 0) = 1 then 1 else 0 end as is_break,
        sum(case when totals.letters like '%B%' or coalesce(measured.has_break, 0) = 1 then 1 else 0 end) over (
            partition by totals.variant, totals.region_code
            order by totals.year
        ) as breaks_so_far
    from totals
    left join {{ source('source', 'region') }} as region
        on region.region_code = totals.region_code
        and region.valid_from <= totals.as_of_date
        and (region.valid_to is null or region.valid_to > totals.as_of_date)
    left join {{ source('source', 'two_thirds_test') }} as test
        on test.fund = totals.fund
        and test.account_stage = totals.account_stage
    left join measured
        on measured.region_code = totals.region_code
        and measured.reference_geography = totals.reference_geography
        and measured.year = totals.year
        and measured.fund = totals.fund
        and measured.account_stage = totals.account_stage
),

with_past as (
    select
        now.*,
        setting.base_year,
        setting.currency,
        before.region_code is not null as has_before,
        before.total_spending as total_before,
        before.basic_spending as basic_before,
        coalesce(now.is_break = 1 or before.region_since <> now.region_since, false) as is_broken,
        {{ exact('now.livelihood - before.livelihood') }} as livelihood_increase,
        {{ exact('now.resources - before.resources') }} as resources_increase,
        base.region_code is not null and now.year > setting.base_year as has_base,
        coalesce(now.breaks_so_far > base.breaks_so_far or base.region_since <> now.region_since, false)
            as is_broken_since_base,
        {{ exact('now.livelihood - base.livelihood') }} as livelihood_increase_since_base,
        {{ exact('now.resources - base.resources') }} as resources_increase_since_base,
        {{ provenance_of(['now.provenance', 'now.measured_provenance', 'before.provenance',
                          'before.measured_provenance', 'base.measured_provenance']) }} as figure_provenance
    from joined as now
    cross join {{ ref('stg_setting') }} as setting
    left join joined as before
        on before.year = now.year - 1
        {% for column in account %}
        and before.{{ column }} = now.{{ column }}
        {% endfor %}
    left join joined as base
        on base.year = setting.base_year
        {% for column in account %}
        and base.{{ column }} = now.{{ column }}
        {% endfor %}
),

reasoned as (
    select
        *,
        100e0 * {{ divide('basic_spending', 'total_spending') }} as basic_share_pct,
        100e0 * {{ divide('basic_before', 'total_before') }} as basic_share_before_pct,
        {{ increase_reason('livelihood_increase', 'resources_increase', 'is_broken', 'has_before', 'has_test') }}
            as two_thirds_reason,
        {{ increase_reason('livelihood_increase_since_base', 'resources_increase_since_base', 'is_broken_since_base',
                           'has_base', 'has_test') }} as two_thirds_reason_since_base
    from with_past
),

shares as (
    select
        *,
        case
            when not has_before then 'no_start'
            when basic_share_pct is null or basic_share_before_pct is null then 'missing'
            when is_broken then 'break'
        end as share_reason
    from reasoned
)

select
    shares.variant,
    {{ region_columns('shares') }},
    {{ period_columns('shares') }},
    shares.currency,
    shares.basic_spending,
    shares.total_spending,
    shares.basic_share_pct,
    case when shares.share_reason is null then shares.basic_share_pct - shares.basic_share_before_pct end
        as share_change_points,
    case when shares.share_reason is null then shares.basic_share_pct > shares.basic_share_before_pct end as share_rises,
    shares.share_reason,
    own.own_level_share,
    cast(1 - own.own_level_share as decimal(12, 9)) as lower_levels_share,
    shares.livelihood,
    shares.resources,
    case when shares.has_before then shares.livelihood_increase end as livelihood_increase,
    case when shares.has_before then shares.resources_increase end as resources_increase,
    case when shares.two_thirds_reason is null then {{ divide('shares.livelihood_increase', 'shares.resources_increase') }}
        end as two_thirds_ratio,
    case when shares.two_thirds_reason is null then {{ is_two_thirds('shares.livelihood_increase', 'shares.resources_increase') }}
        end as meets_two_thirds,
    shares.two_thirds_reason,
    shares.base_year,
    case when shares.has_base then shares.livelihood_increase_since_base end as livelihood_increase_since_base,
    case when shares.has_base then shares.resources_increase_since_base end as resources_increase_since_base,
    case when shares.two_thirds_reason_since_base is null
        then {{ divide('shares.livelihood_increase_since_base', 'shares.resources_increase_since_base') }}
        end as two_thirds_ratio_since_base,
    case when shares.two_thirds_reason_since_base is null
        then {{ is_two_thirds('shares.livelihood_increase_since_base', 'shares.resources_increase_since_base') }}
        end as meets_two_thirds_since_base,
    shares.two_thirds_reason_since_base,
    shares.scope_zh as two_thirds_scope_zh,
    shares.scope_en as two_thirds_scope_en,
    cast(items.items_with_split as integer) as items_with_split,
    cast(items.items_kept as integer) as items_kept,
    100e0 * {{ divide('items.items_kept', 'items.items_with_split') }} as items_kept_pct,
    cast(groups.group_regions as integer) as group_regions,
    case when groups.gaps = 0 then {{ exact('groups.group_spending') }} end as group_spending,
    case when groups.gaps = 0 then 100e0 * {{ divide('groups.group_spending', 'groups.group_spending + coalesce(groups.rest_spending, 0)') }}
        end as group_share_pct,
    case when groups.gaps = 0 then {{ divide('groups.group_spending', 'groups.group_people') }} end as group_per_capita,
    case when groups.gaps = 0 then {{ divide('groups.rest_spending', 'groups.rest_people') }} end as rest_per_capita,
    case when groups.gaps = 0 then {{ divide(
        divide('groups.group_spending', 'groups.group_people'), divide('groups.rest_spending', 'groups.rest_people')) }}
        end as group_relative,
    case
        when groups.region_code is null then 'no_group_in_region'
        when groups.rest_regions = 0 then 'no_rest'
        when groups.gaps > 0 then 'missing'
        when groups.group_people = 0 or groups.rest_people = 0 or groups.rest_spending = 0 then 'divisor_is_zero'
    end as group_reason,
    shares.is_break = 1 as is_break,
    {{ ranked_status('shares.letters', 'shares.basic_share_pct') }} as obs_status,
    {{ provenance_of(['shares.figure_provenance', 'items.provenance', 'groups.provenance']) }} as provenance,
    'F' as conf_status,
    shares.reference_geography as boundaries,
    shares.as_of_date as boundaries_date
from shares
left join own
    on own.year = shares.year
    {% for column in account %}
    and own.{{ column }} = shares.{{ column }}
    {% endfor %}
left join items
    on items.variant = shares.variant
    and items.region_code = shares.region_code
    and items.year = shares.year
    and shares.has_test
left join groups
    on groups.year = shares.year
    {% for column in account %}
    and groups.{{ column }} = shares.{{ column }}
    {% endfor %}
left join {{ ref('int_region__date') }} as region
    on region.reference_geography = shares.reference_geography
    and region.as_of_date = shares.as_of_date
    and region.region_code = shares.region_code
