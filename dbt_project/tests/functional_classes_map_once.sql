{{ config(
    meta={'severity': 'block', 'owner': '财政统计 / fiscal statistics',
          'why': 'the mapping must be exhaustive and exclusive, or money is lost or counted twice'},
) }}
with used as (
    select distinct observation.item as class_code, observation.period_end
    from {{ ref('int_observation__select_years') }} as observation
    inner join {{ ref('stg_spending_source') }} as source
        on source.measure = observation.measure
        and source.role = 'functional'
    where observation.item <> 'all'
)

select
    used.class_code,
    used.period_end,
    count(domain.domain) as domains
from used
left join {{ source('source', 'functional_class') }} as class
    on class.class_code = used.class_code
    and class.valid_from <= used.period_end
    and (class.valid_to is null or class.valid_to > used.period_end)
left join {{ source('source', 'domain') }} as domain
    on domain.domain = class.domain
group by used.class_code, used.period_end
having count(domain.domain) <> 1
