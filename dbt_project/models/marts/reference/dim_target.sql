with targets as (
    {% for model, kind in [('stg_target', 'target'), ('stg_milestone', 'milestone')] %}
    select
        indicator_code, region_code, target_year, edition, '{{ kind }}' as target_kind, target_value, lower_limit,
        upper_limit, baseline, origin, note
    from {{ ref(model) }}
    {% if not loop.last %}union all{% endif %}
    {% endfor %}
)

select
    target.indicator_code,
    target.region_code,
    target.target_year,
    target.edition,
    target.target_kind,
    indicator.name_zh as indicator_name_zh,
    indicator.name_en as indicator_name_en,
    indicator.direction,
    indicator.unit,
    target.target_value,
    target.lower_limit,
    target.upper_limit,
    target.baseline,
    target.origin,
    target.note
from targets as target
left join {{ ref('stg_indicator') }} as indicator
    on indicator.indicator_code = target.indicator_code
