{{ config(
    meta={'severity': 'warn', 'owner': '指标管理 / indicator owner',
          'why': 'numerator and denominator are there but do not meet: most often different populations or ages'},
) }}
with reported as (
    select distinct term.indicator_code
    from (
        select distinct term_cell_number
        from {{ ref('int_indicator__match_terms') }}
        where value is not null
    ) as figure
    inner join {{ ref('int_indicator__list_terms') }} as term
        on term.term_cell_number = figure.term_cell_number
    where term.part = 'numerator'
),

valued as (
    select distinct indicator_code
    from {{ ref('int_indicator__compute') }}
    where value is not null
)

select reported.indicator_code
from reported
left join valued
    on valued.indicator_code = reported.indicator_code
where valued.indicator_code is null
