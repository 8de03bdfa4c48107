{{ config(
    meta={'severity': 'block', 'owner': '财政统计 / fiscal statistics',
          'why': 'who pays must be told in full; what nobody pays is not provided'},
) }}
-- Shares of one whole add up to exactly 1 where there are any, and none is there without the others.
{% set wholes = [
    ('figure_split', 'share', ['variant', 'region_id', 'year', 'subject_kind', 'subject_code'], false),
    ('dim_item_payer_share', 'payer_share', ['item', 'region_code', 'edition'], true),
] %}
{% for table, share, key, is_needed in wholes %}
select '{{ table }}' as table_name, {{ key | join(" || ' ' || ") }} as whole, sum({{ share }}) as shares
from {{ ref(table) }}
group by {{ key | join(', ') }}
having sum({{ share }}) <> 1 or count({{ share }}) {{ '< count(*)' if is_needed else 'not in (0, count(*))' }}
{{ 'union all' if not loop.last }}
{% endfor %}
