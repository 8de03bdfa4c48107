-- Urban against rural, figure by figure, and how much of the gap of the base year has closed since. A gap that has
-- turned round is reported as such, never as its absolute value. Money is to be compared in constant prices.
with pairs as (
    select
        figure.variant,
        figure.region_code,
        figure.reference_geography,
        figure.year,
        figure.year_start,
        figure.subject_kind,
        figure.subject_code,
        max(figure.as_of_date) as as_of_date,
        max(unit) as unit,
        max(direction) as direction,
        max(case when residence = 'urban' then estimate end) as urban,
        max(case when residence = 'rural' then estimate end) as rural,
        max(case when residence = 'urban' then obs_status end) as urban_status,
        max(case when residence = 'rural' then obs_status end) as rural_status,
        max(case when undefined_reason = 'partial_year' then undefined_reason end) as partial_reason,
        {{ status_of_rows('obs_status') }} as letters,
        {{ provenance_of_rows('provenance') }} as provenance
    from {{ ref('int_subject__list_figures') }} as figure
    inner join {{ variants_of('gap') }} as variant
        on variant.variant = figure.variant
    where figure.is_gap
    group by
        figure.variant, figure.region_code, figure.reference_geography, figure.year, figure.year_start,
        figure.subject_kind, figure.subject_code
),

gaps as (
    select
        *,
        urban - rural as difference,
        case
            when partial_reason is not null then partial_reason
            when urban_status = 'L' and rural_status = 'L' then 'not_attributed'
            when urban_status = 'M' then 'no_urban_population'
            when rural_status = 'M' then 'no_rural_population'
            when urban is null and rural is null then 'both_missing'
            when urban is null then 'urban_missing'
            when rural is null then 'rural_missing'
            when rural = 0 then 'rural_is_zero'
        end as undefined_reason
    from pairs
),

-- the year a series is measured from: that of the jurisdiction, else the first with a gap
first_years as (
    select
        variant, region_code, subject_kind, subject_code, min(year) as year
    from gaps
    where difference is not null
    group by variant, region_code, subject_kind, subject_code
),

with_base as (
    select
        gaps.*,
        coalesce(setting.base_year, first_years.year) as base_year,
        base.difference as base_difference,
        base.provenance as base_provenance,
        base.letters as base_letters
    from gaps
    cross join {{ ref('stg_setting') }} as setting
    left join first_years
        on first_years.region_code = gaps.region_code
        and first_years.variant = gaps.variant
        and first_years.subject_kind = gaps.subject_kind
        and first_years.subject_code = gaps.subject_code
    left join gaps as base
        on base.region_code = gaps.region_code
        and base.variant = gaps.variant
        and base.subject_kind = gaps.subject_kind
        and base.subject_code = gaps.subject_code
        and base.year = coalesce(setting.base_year, first_years.year)
),

closed as (
    select
        *,
        case
            when difference is null then 'gap_missing'
            when year < base_year then 'before_base_year'
            when base_difference is null then 'base_gap_missing'
            when base_difference = 0 then 'base_gap_is_zero'
        end as closing_reason
    from with_base
)

select
    closed.variant,
    {{ region_columns('closed') }},
    {{ period_columns('closed') }},
    closed.subject_kind,
    case closed.subject_kind when 'spending' then {{ dbt.concat(["'spending.'", 'closed.subject_code']) }} else closed.subject_code end
        as subject_code,
    case when closed.subject_kind = 'spending' then closed.subject_code end as domain,
    closed.unit,
    closed.direction,
    closed.urban,
    closed.rural,
    closed.difference,
    {{ divide('closed.urban', 'closed.rural') }} as ratio,
    closed.undefined_reason,
    closed.base_year,
    closed.base_difference,
    case
        when closed.closing_reason is null then 1e0 - {{ divide('closed.difference', 'closed.base_difference') }}
    end as closing_rate,
    closed.closing_reason,
    case
        when closed.closing_reason is null
            then (closed.difference > 0 and closed.base_difference < 0)
                or (closed.difference < 0 and closed.base_difference > 0)
    end as is_overshot,
    case
        when closed.undefined_reason in ('no_urban_population', 'no_rural_population', 'partial_year') then 'M'
        when closed.undefined_reason = 'not_attributed' then 'L'
        else {{ ranked_status('closed.letters', 'closed.difference') }}
    end as obs_status,
    {{ provenance_of(['closed.provenance', 'case when closed.closing_reason is null then closed.base_provenance end']) }}
        as provenance,
    'F' as conf_status,
    closed.reference_geography as boundaries,
    closed.as_of_date as boundaries_date
from closed
left join {{ ref('int_region__date') }} as region
    on region.reference_geography = closed.reference_geography
    and region.as_of_date = closed.as_of_date
    and region.region_code = closed.region_code
