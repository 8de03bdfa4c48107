-- What scores are made of: the figure of everybody of each indicator (`main`) on each list of regions, and beside it the
-- same rate over registered people where there is a variant for it (`registered`).
select
    case when variant.is_new_population_basis then 'registered' else 'main' end as reading,
    {% for column in ['reference_geography', 'as_of_date', 'year', 'year_start', 'period_end', 'region_id', 'region_code',
                      'region_depth', 'indicator_code', 'unit', 'direction', 'numerator', 'denominator', 'value',
                      'obs_status', 'undefined_reason', 'provenance'] %}
    figure.{{ column }}{{ ',' if not loop.last }}
    {% endfor %}
from {{ ref('figure_indicator') }} as figure
inner join {{ variants_of('indicator') }} as variant
    on variant.variant = figure.variant
where
    figure.breakdown = 'all'
    and not variant.is_new_population_source
    and (not variant.is_new_population_basis or variant.population_basis = 'registered')
