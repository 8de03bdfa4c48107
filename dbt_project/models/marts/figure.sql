-- Every number that is published of a region, a year, a part of the people and a variant: one row each. What it is
-- computed from and compared with is in figure_term and benchmark; what its subject is, in dim_subject.
-- `government_levels` are the levels of government whose money is in it: amounts compare with the same levels only.
with figures as (
    select
        {{ dbt.concat(["'spending.'", 'domain']) }} as subject_code,
        region_id, region_code, reference_geography, as_of_date, year, year_start,
        case residence when 'total' then 'all' else {{ dbt.concat(["'residence='", 'residence']) }} end as breakdown,
        variant,
        per_head as value,
        spending as numerator,
        population as denominator,
        cast(null as double) as ci_low,
        cast(null as double) as ci_high,
        government_levels, obs_status, undefined_reason, provenance
    from {{ ref('figure_spending') }}
    where residence <> 'unattributed'

    union all

    select
        {{ dbt.concat(["'budget_share.'", 'domain']) }},
        region_id, region_code, reference_geography, as_of_date, year, year_start,
        case residence when 'total' then 'all' else {{ dbt.concat(["'residence='", 'residence']) }} end,
        variant, budget_share_pct, spending, all_spending, cast(null as double), cast(null as double), government_levels,
        {{ ranked_status('spending_status', 'budget_share_pct') }},
        case
            when budget_share_pct is not null then null
            when spending is null then undefined_reason
            when all_spending = 0 then 'nothing_spent'
            else 'spending_missing'
        end,
        spending_provenance
    from {{ ref('figure_spending') }}
    -- a share is the same whatever people and prices are
    where domain <> 'all' and not takes_other_people and prices = 'nominal'

    union all

    select
        subject_code, region_id, region_code, reference_geography, as_of_date, year, year_start,
        case residence when 'total' then 'all' else {{ dbt.concat(["'residence='", 'residence']) }} end,
        variant, per_user, spending, users, cast(null as double), cast(null as double), government_levels, obs_status,
        undefined_reason, provenance
    from {{ ref('figure_per_user') }}
    where not takes_other_people and residence <> 'unattributed' and (residence = 'total' or is_part_counted)

    union all

    select
        indicator_code, region_id, region_code, reference_geography, as_of_date, year, year_start, breakdown, variant,
        value, numerator, denominator, ci_low, ci_high, '', obs_status, undefined_reason, provenance
    from {{ ref('figure_indicator') }}

    union all

    select
        {{ dbt.concat(["'degree.'", 'degree.domain']) }},
        degree.region_id, degree.region_code, degree.boundaries, degree.boundaries_date, degree.year, degree.period_start,
        'all', degree.variant, degree.degree_pct, cast(null as decimal(28, 9)), cast(null as decimal(28, 9)),
        cast(null as double), cast(null as double), '', degree.obs_status, degree.undefined_reason, degree.provenance
    from {{ ref('figure_degree') }} as degree

    union all

    select
        {{ dbt.concat(["'index.'", 'composite.domain']) }},
        composite.region_id, composite.region_code, composite.boundaries, composite.boundaries_date, composite.year,
        composite.period_start, 'all', composite.variant, composite.index_value, cast(null as decimal(28, 9)),
        cast(null as decimal(28, 9)), cast(null as double), cast(null as double), '', composite.obs_status,
        composite.undefined_reason, composite.provenance
    from {{ ref('figure_index') }} as composite
)

select
    figures.subject_code,
    figures.region_id,
    figures.region_code,
    region.region_depth,
    {{ period_columns('figures') }},
    figures.breakdown,
    figures.variant,
    figures.value,
    figures.numerator,
    figures.denominator,
    figures.ci_low,
    figures.ci_high,
    case when figures.value is null then figures.undefined_reason end as undefined_reason,
    figures.government_levels,
    figures.reference_geography as boundaries,
    figures.as_of_date as boundaries_date,
    figures.obs_status,
    'F' as conf_status,
    figures.provenance,
    hashes.input_hash
from figures
left join {{ ref('figure_hash') }} as hashes
    on hashes.figure_id = {{ figure_id('figures.subject_code', 'figures.region_id', 'figures.year', 'figures.breakdown', 'figures.variant') }}
{{ joins_region('figures') }}
