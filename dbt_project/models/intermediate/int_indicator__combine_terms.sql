-- Numerator and denominator of each indicator side by side, for each population they are about. Populations never mix:
-- terms about a population combine only with terms about the same basis and source; a term about none (beds, cases)
-- combines with any. The users of a domain (`per_user.DOMAIN`) are a denominator alone.
with expected as (
    select
        indicator_code,
        count(distinct case when part = 'numerator' then term_number end) as numerator_terms,
        count(distinct case when part = 'denominator' then term_number end) as denominator_terms
    from {{ source('source', 'indicator_term') }}
    group by indicator_code
),

-- what a term is about; with the population it is about as a number
term_cells as (
    select distinct
        term_cell_number, cell_number, indicator_code, part, term_number, reference_geography, year, year_start, residence,
        sex, age_group, group_code, population_basis, population_source,
        dense_rank() over (order by population_basis, population_source) as kind_number
    from {{ ref('int_indicator__list_terms') }}
),

-- years in which nobody reports a numerator have nothing to show; users have none
years as (
    select distinct term_cells.indicator_code, term_cells.reference_geography, term_cells.year_start
    from (select distinct term_cell_number from {{ ref('int_indicator__match_terms') }}) as reported
    inner join term_cells
        on term_cells.term_cell_number = reported.term_cell_number
    inner join expected
        on expected.indicator_code = term_cells.indicator_code
    where term_cells.part = 'numerator' or expected.numerator_terms = 0
),

terms as (
    select term.*, term_cells.cell_number, term_cells.kind_number
    from {{ ref('int_indicator__match_terms') }} as term
    inner join term_cells
        on term_cells.term_cell_number = term.term_cell_number
    inner join years
        on years.indicator_code = term_cells.indicator_code
        and years.reference_geography = term_cells.reference_geography
        and years.year_start = term_cells.year_start
),

kinds as (
    select distinct kind_number, population_basis, population_source
    from term_cells
),

cells as (
    select distinct
        cell_number, indicator_code, reference_geography, year, year_start, residence, sex, age_group, group_code
    from term_cells
),

-- the terms that go with a population: those about it and those about none
fitting as (
    select
        population.cell_number,
        population.kind_number,
        term_cells.term_cell_number,
        term_cells.part,
        term_cells.term_number,
        term_cells.population_basis,
        term_cells.population_source,
        count(*) over (
            partition by population.cell_number, population.kind_number, term_cells.part, term_cells.term_number
        ) as candidates
    from (select distinct cell_number, kind_number, population_basis, population_source from term_cells) as population
    inner join term_cells
        on term_cells.cell_number = population.cell_number
        and (term_cells.population_basis = population.population_basis or term_cells.population_basis = 'none')
        and (term_cells.population_source = population.population_source or term_cells.population_source = 'none')
),

populations as (
    select distinct cell_number, region_code, kind_number
    from terms
),

matched as (
    {# most terms exist for one population only: there is nothing to choose -#}
    {% for is_one in [true, false] %}
    select
        cell_number, region_code, kind_number, part, period_end, as_of_date, value, letters, provenance, derivation,
        is_partial_year, population_date
    from (
        select
            populations.cell_number,
            populations.region_code,
            populations.kind_number,
            fitting.part,
            terms.period_end,
            terms.as_of_date,
            terms.value,
            terms.letters,
            terms.provenance,
            terms.derivation,
            terms.is_partial_year,
            terms.population_date,
            {% if is_one %}
            1 as place
            {% else %}
            -- a term that exists for this very population counts before one about none
            row_number() over (
                partition by
                    populations.cell_number, populations.region_code, populations.kind_number, fitting.part,
                    fitting.term_number
                order by
                    case when fitting.population_basis = 'none' then 1 else 0 end,
                    case when fitting.population_source = 'none' then 1 else 0 end
            ) as place
            {% endif %}
        from populations
        inner join fitting
            on fitting.cell_number = populations.cell_number
            and fitting.kind_number = populations.kind_number
            and fitting.candidates {{ '=' if is_one else '>' }} 1
        inner join terms
            on terms.term_cell_number = fitting.term_cell_number
            and terms.region_code = populations.region_code
    ) as placed
    where place = 1
    {{ 'union all' if is_one }}
    {% endfor %}
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
        {{ derivation_of_rows('derivation') }} as derivation,
        {{ any_true('is_partial_year') }} as is_partial_year,
        max(population_date) as population_date
    from matched
    group by cell_number, region_code, kind_number
)

select
    cells.indicator_code,
    combined.region_code,
    cells.reference_geography,
    cells.year,
    cells.year_start,
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
    combined.is_partial_year,
    combined.population_date,
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
