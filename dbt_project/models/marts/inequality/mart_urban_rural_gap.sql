-- Urban against rural, figure by figure, and how much of the gap of the base year has closed since. A gap that has
-- turned round is reported as such, never as its absolute value. Money is to be compared in constant prices.
with pairs as (
    select
        region_code,
        reference_geography,
        year,
        subject_kind,
        subject_code,
        population_basis,
        population_source,
        price_basis,
        max(region_depth) as region_depth,
        max(period_name) as period_name,
        max(case when reference_geography = 'reported' then reference_date end) as reported_date,
        max(reference_date) as reference_date,
        max(unit) as unit,
        max(direction) as direction,
        max(case when residence = 'urban' then estimate end) as urban,
        max(case when residence = 'rural' then estimate end) as rural,
        max(case when residence = 'urban' then obs_status end) as urban_status,
        max(case when residence = 'rural' then obs_status end) as rural_status,
        max(case when undefined_reason = 'partial_year' then undefined_reason end) as partial_reason,
        {{ status_of_rows('obs_status') }} as letters,
        {{ provenance_of_rows('provenance') }} as provenance
    from {{ ref('int_subject__list_figures') }}
    where is_gap
    group by
        region_code, reference_geography, year, subject_kind, subject_code, population_basis, population_source,
        price_basis
),

gaps as (
    select
        *,
        urban - rural as difference,
        case
            when partial_reason is not null then partial_reason
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
        region_code, reference_geography, subject_kind, subject_code, population_basis, price_basis, min(year) as year
    from gaps
    where difference is not null
    group by region_code, reference_geography, subject_kind, subject_code, population_basis, price_basis
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
        and first_years.reference_geography = gaps.reference_geography
        and first_years.subject_kind = gaps.subject_kind
        and first_years.subject_code = gaps.subject_code
        and first_years.population_basis = gaps.population_basis
        and first_years.price_basis = gaps.price_basis
    left join gaps as base
        on base.region_code = gaps.region_code
        and base.reference_geography = gaps.reference_geography
        and base.subject_kind = gaps.subject_kind
        and base.subject_code = gaps.subject_code
        and base.population_basis = gaps.population_basis
        and base.price_basis = gaps.price_basis
        and base.year = coalesce(setting.base_year, first_years.year)
        -- a base from another source of population is no base
        and base.population_source = gaps.population_source
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
    closed.region_code,
    region.region_name,
    region.region_level,
    closed.region_depth,
    closed.reference_geography,
    closed.year,
    closed.period_name,
    closed.subject_kind,
    closed.subject_code,
    closed.population_basis,
    closed.population_source,
    closed.price_basis,
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
        else {{ ranked_status('closed.letters', 'closed.difference') }}
    end as obs_status,
    'F' as conf_status,
    {{ provenance_of(['closed.provenance', 'case when closed.closing_reason is null then closed.base_provenance end']) }}
        as provenance
from closed
inner join {{ ref('stg_reference_geography') }} as geography
    on geography.reference_geography = closed.reference_geography
left join {{ ref('int_region__date') }} as region
    on region.reference_geography = closed.reference_geography
    and region.as_of_date = coalesce(closed.reported_date, geography.as_of_date)
    and region.region_code = closed.region_code
