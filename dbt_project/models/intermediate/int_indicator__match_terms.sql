-- The value of each term of each indicator's numerator and denominator, per region, year and kept dimension.
-- A term sums the combinations it lists; one that is missing makes the term missing. Where several measures stand for
-- the same thing (the term `population`), one figure is taken: a number before a gap, reported before summed, then by
-- rank.
with combinations as (
    select
        indicator_code,
        part,
        term_number,
        count(distinct residence || '|' || sex || '|' || age_group || '|' || group_code || '|' || item) as combinations
    from {{ ref('stg_indicator_term') }}
    group by indicator_code, part, term_number
),

matched_series as (
    select
        term.indicator_code,
        term.part,
        term.term_number,
        term.coefficient,
        term.term_letters,
        series.series_number,
        series.reference_geography,
        series.year,
        series.period_end,
        series.as_of_date,
        series.measure,
        series.population_basis,
        series.population_source,
        case when term.out_residence = '*' then series.residence else term.out_residence end as residence,
        case when term.out_sex = '*' then series.sex else term.out_sex end as sex,
        case when term.out_age_group = '*' then series.age_group else term.out_age_group end as age_group,
        case when term.out_group = '*' then series.group_code else term.out_group end as group_code,
        -- the figures that stand for the same thing, whatever measure and day reports it
        dense_rank() over (
            order by
                term.indicator_code, term.part, term.term_number, series.reference_geography, series.year,
                series.population_basis, series.population_source, series.residence, series.sex, series.age_group,
                series.group_code, series.item
        ) as same_figure
    from {{ ref('stg_indicator_term') }} as term
    inner join {{ ref('int_observation__number_series') }} as series
        on series.measure = term.measure
        and (term.age_group = '*' or series.age_group = term.age_group)
        and (term.item = '*' or series.item = term.item)
        and (term.residence = '*' or series.residence = term.residence)
        and (term.sex = '*' or series.sex = term.sex)
        and (term.group_code = '*' or series.group_code = term.group_code)
        and (term.population_basis = '*' or series.population_basis = term.population_basis)
        and (
            term.population_source = '*'
            or series.population_source = 'none'
            or series.population_source = term.population_source
        )
),

-- a cell is what a figure of an indicator is about, beside its region and population; numbered to join by
numbered_series as (
    select
        *,
        count(*) over (partition by same_figure) as candidates,
        dense_rank() over (
            order by indicator_code, reference_geography, year, residence, sex, age_group, group_code
        ) as cell_number,
        dense_rank() over (
            order by
                indicator_code, reference_geography, year, residence, sex, age_group, group_code, part, term_number,
                population_basis, population_source
        ) as term_cell_number
    from matched_series
),

term_cells as (
    select
        term_cell_number,
        max(cell_number) as cell_number,
        max(indicator_code) as indicator_code,
        max(part) as part,
        max(term_number) as term_number,
        max(reference_geography) as reference_geography,
        max(year) as year,
        max(population_basis) as population_basis,
        max(population_source) as population_source,
        max(residence) as residence,
        max(sex) as sex,
        max(age_group) as age_group,
        max(group_code) as group_code
    from numbered_series
    group by term_cell_number
),

chosen as (
    {# most figures are reported as one series only: there is nothing to choose -#}
    {% for is_one in [true, false] %}
    select
        term_cell_number, region_code, coefficient, term_letters, period_end, as_of_date, value, obs_status, provenance,
        derivation
    from (
        select
            numbered_series.term_cell_number,
            numbered_series.coefficient,
            numbered_series.term_letters,
            numbered_series.period_end,
            numbered_series.as_of_date,
            figure.region_code,
            figure.value,
            figure.obs_status,
            figure.provenance,
            figure.derivation,
            {% if is_one %}
            1 as place
            {% else %}
            row_number() over (
                partition by numbered_series.same_figure, figure.region_code
                order by
                    case when figure.value is null then 1 else 0 end,
                    case figure.derivation when 'reported' then 0 when 'estimated' then 2 else 1 end,
                    figure.extract_rank,
                    numbered_series.measure
            ) as place
            {% endif %}
        from numbered_series
        inner join {{ ref('int_indicator__consolidate_levels') }} as figure
            on figure.series_number = numbered_series.series_number
        where numbered_series.candidates {{ '=' if is_one else '>' }} 1
    ) as matched
    where place = 1
    {{ 'union all' if is_one }}
    {% endfor %}
),

summed as (
    select
        term_cell_number,
        region_code,
        max(period_end) as period_end,
        max(as_of_date) as as_of_date,
        count(value) as found,
        {{ exact_sum('case when coefficient = 1 then value else ' ~ exact('coefficient * value') ~ ' end') }} as value,
        -- what takes a part of a figure is an estimate
        {{ status_of_rows(joined_statuses(['obs_status', 'term_letters'])) }} as letters,
        {{ provenance_of_rows('provenance') }} as provenance,
        {{ derivation_of_rows('derivation') }} as derivation
    from chosen
    group by term_cell_number, region_code
)

select
    term_cells.cell_number,
    term_cells.indicator_code,
    term_cells.part,
    term_cells.term_number,
    summed.region_code,
    term_cells.reference_geography,
    term_cells.year,
    term_cells.population_basis,
    term_cells.population_source,
    term_cells.residence,
    term_cells.sex,
    term_cells.age_group,
    term_cells.group_code,
    summed.period_end,
    summed.as_of_date,
    case when summed.found = combinations.combinations then summed.value end as value,
    summed.letters,
    summed.provenance,
    summed.derivation
from summed
inner join term_cells
    on term_cells.term_cell_number = summed.term_cell_number
inner join combinations
    on combinations.indicator_code = term_cells.indicator_code
    and combinations.part = term_cells.part
    and combinations.term_number = term_cells.term_number
