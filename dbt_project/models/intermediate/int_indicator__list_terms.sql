-- Which series make which term of which indicator: a row per series and term. Numbered, for figures to carry:
--   cell_number       what a figure of an indicator is about, beside its region and population
--   term_cell_number  one term of it, for one population
--   same_figure       the figures that stand for the same thing, whatever measure and day reports it; `candidates` are
--                     the series among which one figure has to be taken, `combinations` those that a term sums
with combinations as (
    select
        indicator_code,
        part,
        term_number,
        count(distinct residence || '|' || sex || '|' || age_group || '|' || group_code || '|' || item) as combinations
    from {{ source('source', 'indicator_term') }}
    group by indicator_code, part, term_number
),

matched_series as (
    select
        term.indicator_code,
        term.part,
        term.term_number,
        term.coefficient,
        coalesce(term.term_letters, '') as term_letters,
        combinations.combinations,
        series.series_number,
        series.reference_geography,
        series.year,
        series.year_start,
        series.period_end,
        series.as_of_date,
        series.measure,
        series.population_basis,
        series.population_source,
        case when term.out_residence = '*' then series.residence else term.out_residence end as residence,
        case when term.out_sex = '*' then series.sex else term.out_sex end as sex,
        case when term.out_age_group = '*' then series.age_group else term.out_age_group end as age_group,
        case when term.out_group = '*' then series.group_code else term.out_group end as group_code,
        dense_rank() over (
            order by
                term.indicator_code, term.part, term.term_number, series.reference_geography, series.year_start,
                series.population_basis, series.population_source, series.residence, series.sex, series.age_group,
                series.group_code, series.item
        ) as same_figure
    from {{ source('source', 'indicator_term') }} as term
    inner join combinations
        on combinations.indicator_code = term.indicator_code
        and combinations.part = term.part
        and combinations.term_number = term.term_number
    inner join {{ ref('int_observation__number_series') }} as series
        on series.measure = term.measure
        and series.is_within_year
        and not series.is_part
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
)

select
    matched_series.*,
    count(*) over (partition by same_figure) as candidates,
    dense_rank() over (
        order by indicator_code, reference_geography, year_start, residence, sex, age_group, group_code
    ) as cell_number,
    dense_rank() over (
        order by
            indicator_code, reference_geography, year_start, residence, sex, age_group, group_code, part, term_number,
            population_basis, population_source
    ) as term_cell_number
from matched_series
