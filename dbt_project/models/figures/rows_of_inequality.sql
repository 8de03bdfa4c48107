-- Each measure of inequality with the names of its subject, its part of the whole, and its change since the first year
-- that has it, in every variant.
{% set whole = "max(case when measured.component = 'total' then measured.value end) over (partition by measured.variant,
    measured.region_id, measured.year, measured.subject_code, measured.dimension, measured.residence, measured.measure,
    measured.weighting)" %}
{% set course = "measured.variant, measured.region_id, measured.subject_code, measured.dimension, measured.residence,
    measured.measure, measured.weighting, measured.component" %}
{% set first_value = of_first_year('measured.value', 'measured.value', 'measured.year', course) %}

select
    {% for column in ['variant', 'region_id', 'region_code', 'region_name', 'region_name_en', 'region_level',
                      'region_depth', 'parent_code', 'parent_name', 'parent_name_en', 'year', 'period_name',
                      'period_start', 'period_end', 'subject_kind', 'subject_code'] %}
    measured.{{ column }},
    {% endfor %}
    subject.name_zh as subject_name_zh,
    subject.name_en as subject_name_en,
    {% for column in ['dimension', 'measure', 'weighting', 'component', 'residence', 'value'] %}
    measured.{{ column }},
    {% endfor %}
    100e0 * {{ divide('measured.value', whole) }} as part_pct,
    {{ of_first_year('measured.year', 'measured.value', 'measured.year', course) }} as base_year,
    {{ first_value }} as base_value,
    measured.value - {{ first_value }} as change_since_base,
    {% for column in ['unit', 'regions', 'regions_missing', 'undefined_reason', 'obs_status', 'provenance',
                      'conf_status', 'boundaries', 'boundaries_date'] %}
    measured.{{ column }}{{ ',' if not loop.last }}
    {% endfor %}
from {{ ref('figure_inequality') }} as measured
inner join {{ ref('dim_subject') }} as subject
    on subject.subject_code = measured.subject_code
