{{ config(
    meta={'severity': 'block', 'owner': '指标管理 / indicator owner',
          'why': 'a measure that nobody knows would silently not be computed, an order by nothing neither'},
) }}
{# every known code is taken out of the list; what is left is unknown -#}
{% set known = namespace(text="coalesce(';' || replace(inequality_measures, ';', ';;') || ';', '')") %}
{% for measure in inequality_measures() %}
{% set known.text = "replace(" ~ known.text ~ ", ';" ~ measure.code ~ ";', '')" %}
{% endfor %}
select
    indicator.indicator_code,
    indicator.inequality_measures,
    indicator.inequality_ordering
from {{ source('source', 'indicator') }} as indicator
left join {{ source('source', 'indicator') }} as ordering
    on ordering.indicator_code = indicator.inequality_ordering
left join {{ source('source', 'domain') }} as domain
    on domain.domain = indicator.inequality_ordering
where
    {{ known.text | replace('inequality_measures', 'indicator.inequality_measures') }} <> ''
    or (
        indicator.inequality_ordering is not null
        and indicator.inequality_ordering not in ('all', 'basic')
        and ordering.indicator_code is null
        and domain.domain is null
    )
