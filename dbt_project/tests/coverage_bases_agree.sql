{{ config(
    meta={'severity': 'block', 'owner': '指标管理 / indicator owner',
          'why': 'who is served and who is entitled are counted as different kinds of people: their quotient says nothing'},
) }}
-- a part that is about no population (beds, cases) goes with any
with bases as (
    select distinct term.indicator_code, term.year, term.part, term.population_basis
    from (
        select distinct term_cell_number
        from {{ ref('int_indicator__match_terms') }}
        where value is not null
    ) as figure
    inner join {{ ref('int_indicator__list_terms') }} as term
        on term.term_cell_number = figure.term_cell_number
    where term.population_basis <> 'none' and term.reference_geography = 'reported'
),

served as (
    select * from bases where part = 'numerator'
),

entitled as (
    select * from bases where part = 'denominator'
)

select
    served.indicator_code,
    served.year,
    min(served.population_basis) as numerator_basis,
    min(entitled.population_basis) as denominator_basis
from served
inner join entitled
    on entitled.indicator_code = served.indicator_code
    and entitled.year = served.year
group by served.indicator_code, served.year
having count(case when served.population_basis = entitled.population_basis then 1 end) = 0
