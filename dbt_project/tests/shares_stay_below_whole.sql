{{ config(
    meta={'severity': 'block', 'owner': '指标管理 / indicator owner',
          'why': 'more people served than there are: the populations are mixed or a figure is wrong'},
) }}
select figure.*
from {{ ref('figure_indicator') }} as figure
inner join {{ ref('dim_indicator') }} as indicator
    on indicator.indicator_code = figure.indicator_code
where
    figure.unit = '%'
    and not indicator.may_exceed_100
    and (
        figure.value > 100
        -- a part of a whole that may be negative may be so too
        or (
            figure.value < 0
            and figure.indicator_code not in (
                select term.indicator_code
                from {{ source('source', 'indicator_term') }} as term
                inner join {{ source('source', 'measure') }} as measure
                    on measure.measure = term.measure
                where measure.may_be_negative
            )
        )
    )
