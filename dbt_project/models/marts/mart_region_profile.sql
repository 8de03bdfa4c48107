-- All that the profile of a region shows of an indicator in a year: its figure, target, what it is compared with, and how it
-- changed since the year before that has a figure.
select
    coverage.region_id,
    {% for column in ['region_code', 'region_name', 'region_name_en', 'region_level', 'region_depth', 'parent_code',
                      'parent_name', 'parent_name_en', 'year', 'period_name', 'indicator_code', 'indicator_name_zh',
                      'indicator_name_en', 'domain', 'value', 'unit', 'ci_low', 'ci_high', 'direction', 'target_value',
                      'target_year', 'is_target_met', 'people_without', 'home_value', 'above_value'] %}
    coverage.{{ column }},
    {% endfor %}
    position.to_home,
    position.to_above,
    position.fifth,
    position.position_first,
    position.position_last,
    position.regions_compared,
    benchmark.least,
    benchmark.first_quartile,
    benchmark.median,
    benchmark.third_quartile,
    benchmark.most,
    coverage.value - lag(coverage.value) over (
        partition by coverage.region_id, coverage.indicator_code order by coverage.year
    ) as change,
    coverage.obs_status,
    coverage.undefined_reason,
    coverage.conf_status,
    coverage.provenance
from {{ ref('mart_service_coverage') }} as coverage
left join {{ ref('figure_position') }} as position
    on position.subject_code = coverage.indicator_code
    and position.region_id = coverage.region_id
    and position.year = coverage.year
    and position.breakdown = 'all'
    and position.variant = 'main'
left join {{ ref('benchmark') }} as benchmark
    on benchmark.subject_code = coverage.indicator_code
    and benchmark.year = coverage.year
    and benchmark.region_depth = coverage.region_depth
    and benchmark.breakdown = 'all'
    and benchmark.variant = 'main'
where coverage.breakdown = 'all'
