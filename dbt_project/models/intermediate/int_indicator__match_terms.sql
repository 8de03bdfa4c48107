-- The value of each term of each indicator's numerator and denominator in each region; what the term is about stands in
-- int_indicator__list_terms, by its term_cell_number.
-- A term sums the combinations it lists; one that is missing makes the term missing. Where several measures stand for
-- the same thing (the term `population`), one figure is taken: a number before a gap, reported before summed, then by
-- rank.
with chosen as (
    {# most figures are reported as one series only: there is nothing to choose -#}
    {% for is_one in [true, false] %}
    select
        term_cell_number, region_code, coefficient, term_letters, combinations, period_end, as_of_date, value, obs_status,
        provenance, derivation, is_partial_year, population_date
    from (
        select
            series.term_cell_number,
            series.coefficient,
            series.term_letters,
            series.combinations,
            series.period_end,
            series.as_of_date,
            figure.region_code,
            figure.value,
            figure.obs_status,
            figure.provenance,
            figure.derivation,
            figure.is_partial_year,
            figure.population_date,
            {% if is_one %}
            1 as place
            {% else %}
            row_number() over (
                partition by series.same_figure, figure.region_code
                order by
                    case when figure.value is null then 1 else 0 end,
                    case figure.derivation when 'reported' then 0 when 'estimated' then 2 else 1 end,
                    figure.extract_rank,
                    series.measure
            ) as place
            {% endif %}
        from {{ ref('int_indicator__list_terms') }} as series
        inner join {{ ref('int_indicator__consolidate_levels') }} as figure
            on figure.series_number = series.series_number
            and figure.is_complete
        where series.candidates {{ '=' if is_one else '>' }} 1
    ) as matched
    where place = 1
    {{ 'union all' if is_one }}
    {% endfor %}
),

summed as (
    select
        term_cell_number,
        region_code,
        max(combinations) as combinations,
        max(period_end) as period_end,
        max(as_of_date) as as_of_date,
        count(value) as found,
        {{ exact_sum('case when coefficient = 1 then value else ' ~ exact('coefficient * value') ~ ' end') }} as value,
        -- what takes a part of a figure is an estimate
        {{ status_of_rows(joined_statuses(['obs_status', 'term_letters'])) }} as letters,
        {{ provenance_of_rows('provenance') }} as provenance,
        {{ derivation_of_rows('derivation') }} as derivation,
        {{ any_true('is_partial_year') }} as is_partial_year,
        max(population_date) as population_date
    from chosen
    group by term_cell_number, region_code
)

select
    term_cell_number,
    region_code,
    period_end,
    as_of_date,
    case when found = combinations then value end as value,
    letters,
    provenance,
    derivation,
    is_partial_year,
    population_date
from summed
