-- Town and country side by side with what is attributed to neither, by subject, in every variant.
select
    gap.variant,
    {% for column in ['region_id', 'region_code', 'region_name', 'region_name_en', 'region_level', 'region_depth',
                      'parent_code', 'parent_name', 'parent_name_en', 'year', 'period_name', 'period_start', 'period_end',
                      'subject_code'] %}
    gap.{{ column }},
    {% endfor %}
    subject.name_zh as subject_name_zh,
    subject.name_en as subject_name_en,
    gap.unit,
    gap.direction,
    gap.urban,
    gap.rural,
    spending.spending as unattributed_spending,
    100e0 * {{ divide('spending.spending', 'everything.spending') }} as unattributed_pct,
    {% for column in ['difference', 'ratio', 'undefined_reason', 'base_year', 'base_difference', 'closing_rate',
                      'closing_reason', 'is_overshot', 'obs_status', 'conf_status', 'provenance', 'boundaries',
                      'boundaries_date'] %}
    gap.{{ column }}{{ ',' if not loop.last }}
    {% endfor %}
from {{ ref('figure_gap') }} as gap
inner join {{ ref('dim_subject') }} as subject
    on subject.subject_code = gap.subject_code
{% for relation, residence in [('spending', 'unattributed'), ('everything', 'total')] %}
left join {{ ref('figure_spending') }} as {{ relation }}
    on {{ relation }}.variant = gap.variant
    and {{ relation }}.region_id = gap.region_id
    and {{ relation }}.year_start = gap.period_start
    and {{ relation }}.domain = gap.domain
    and {{ relation }}.residence = '{{ residence }}'
{% endfor %}
