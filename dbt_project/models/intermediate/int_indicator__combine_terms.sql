-- Numerator and denominator of each indicator side by side, for each population they are about. Populations never mix:
-- terms about a population combine only with terms about the same basis and source; a term about none (beds, cases)
-- combines with any.
with expected as (
    select
        indicator_code,
        count(distinct case when part = 'numerator' then term_number end) as numerator_terms,
        count(distinct case when part = 'denominator' then term_number end) as denominator_terms
    from {{ ref('stg_indicator_term') }}
    group by indicator_code
),

-- years in which nobody reports a numerator have nothing to show
years as (
    select distinct indicator_code, reference_geography, year
    from {{ ref('int_indicator__match_terms') }}
    where part = 'numerator'
),

-- what is sorted and summed region by region is called by numbers instead of texts
kinds as (
    select
        population_basis, population_source,
        row_number() over (order by population_basis, population_source) as kind_number
    from {{ ref('int_indicator__match_terms') }}
    group by population_basis, population_source
),

terms as (
    select
        term.*,
        kinds.kind_number,
        case when term.part = 'numerator' then term.term_number else -term.term_number end as part_number
    from {{ ref('int_indicator__match_terms') }} as term
    inner join years
        on years.indicator_code = term.indicator_code
        and years.reference_geography = term.reference_geography
        and years.year = term.year
    inner join kinds
        on kinds.population_basis = term.population_basis
        and kinds.population_source = term.population_source
),

cells as (
    select
        cell_number,
        max(indicator_code) as indicator_code,
        max(reference_geography) as reference_geography,
        max(year) as year,
        max(residence) as residence,
        max(sex) as sex,
        max(age_group) as age_group,
        max(group_code) as group_code
    from terms
    group by cell_number
),

populations as (
    select listed.cell_number, listed.region_code, kinds.*
    from (select distinct cell_number, region_code, kind_number from terms) as listed
    inner join kinds
        on kinds.kind_number = listed.kind_number
),

matched as (
    select
        populations.cell_number,
        populations.region_code,
        populations.kind_number,
        terms.part,
        terms.period_end,
        terms.as_of_date,
        terms.value,
        terms.letters,
        terms.provenance,
        terms.derivation,
        -- a term that exists for this very population counts before one about none
        row_number() over (
            partition by
                populations.cell_number, populations.region_code, populations.kind_number, terms.part_number
            order by
                case when terms.population_basis = 'none' then 1 else 0 end,
                case when terms.population_source = 'none' then 1 else 0 end
        ) as place
    from populations
    inner join terms
        on terms.cell_number = populations.cell_number
        and terms.region_code = populations.region_code
        and (terms.population_basis = populations.population_basis or terms.population_basis = 'none')
        and (terms.population_source = populations.population_source or terms.population_source = 'none')
),

combined as (
    select
        cell_number,
        region_code,
        kind_number,
        max(period_end) as period_end,
        max(as_of_date) as as_of_date,
        count(case when part = 'numerator' then 1 end) as numerator_terms,
        count(case when part = 'denominator' then 1 end) as denominator_terms,
        count(case when part = 'numerator' then value end) as numerator_values,
        count(case when part = 'denominator' then value end) as denominator_values,
        {{ exact_sum("case when part = 'numerator' then value end") }} as numerator,
        {{ exact_sum("case when part = 'denominator' then value end") }} as denominator,
        {{ status_of_rows('letters') }} as letters,
        {{ provenance_of_rows('provenance') }} as provenance,
        {{ derivation_of_rows('derivation') }} as derivation
    from matched
    where place = 1
    group by cell_number, region_code, kind_number
)

select
    cells.indicator_code,
    combined.region_code,
    cells.reference_geography,
    cells.year,
    cells.residence,
    cells.sex,
    cells.age_group,
    cells.group_code,
    kinds.population_basis,
    kinds.population_source,
    combined.period_end,
    combined.as_of_date,
    case when combined.numerator_values = expected.numerator_terms then combined.numerator end as numerator,
    case when combined.denominator_values = expected.denominator_terms then combined.denominator end as denominator,
    combined.letters,
    combined.provenance,
    combined.derivation,
    -- every term was reported, be it as a gap
    combined.numerator_terms = expected.numerator_terms
        and combined.denominator_terms = expected.denominator_terms as is_pair
from combined
inner join cells
    on cells.cell_number = combined.cell_number
inner join kinds
    on kinds.kind_number = combined.kind_number
inner join expected
    on expected.indicator_code = cells.indicator_code
