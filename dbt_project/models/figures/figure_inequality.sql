-- Each measure of each set of places: those published without being asked for, and those that the subject asks for.
-- A measure that is not defined has no value, and says why.
{% set formulas = {
    'difference': 'case when is_paired then (first_mean - second_mean) * scale else highest - lowest end',
    'ratio': 'case when is_paired then ' ~ divide('first_mean', 'second_mean') ~ ' else ' ~ divide('highest', 'lowest') ~ ' end',
    'cv_population': '100e0 * cv_population', 'cv_none': '100e0 * cv_none',
    'sd_population': 'sqrt(variance_population)', 'sd_none': 'sqrt(variance_none)',
    'atkinson_0.5': 'atkinson_05',
    'idis_population': '100e0 * ' ~ divide('mean_difference_from_mean_population', 'weighted_mean'),
    'idis_none': '100e0 * ' ~ divide('mean_difference_from_mean_none', 'weighted_mean'),
    'sii': 'slope',
    'rii': divide('weighted_mean + 0.5e0 * slope', 'weighted_mean - 0.5e0 * slope'),
    'rci': divide('aci', 'weighted_mean'),
    'par': population_attributable_risk('best', 'weighted_mean', 'direction'),
    'paf': '100e0 * ' ~ divide(population_attributable_risk('best', 'weighted_mean', 'direction'), 'weighted_mean'),
} %}

with measured as (
    {% for measure in inequality_measures() %}
    {% set measure_loop = loop %}
    {% for weighting in measure.weightings %}
    {% set weighting_loop = loop %}
    {% for component in measure.get('components', ['total']) %}
    {% set suffix = '_' ~ component if measure.get('components') else ('_' ~ weighting if measure.weightings | length > 1 else '') %}
    select
        set_number,
        '{{ measure.code }}' as measure,
        '{{ weighting }}' as weighting,
        '{{ component }}' as component,
        {{ inequality_reason(measure.code, weighting, component) }} as undefined_reason,
        {{ formulas.get(measure.code ~ suffix) or formulas.get(measure.code) or (measure.code ~ suffix) }}
            {%- if measure.unit == 'estimate' and measure.code != 'difference' %} as on_scale, scale as factor
            {%- elif measure.unit == 'square' %} as on_scale, scale * scale as factor
            {%- else %} as on_scale, 1e0 as factor
            {%- endif %},
        '{{ measure.unit }}' as unit_kind
    from {{ ref('int_inequality__compute') }}
    where
        {% if measure.code in ('difference', 'ratio') %}
        true
        {% elif measure.code in ('theil', 'mld') %}
        {{ "measures_asked like '%;" ~ measure.code ~ ";%' and " if not measure.get('is_default') }}
        {# two groups that are one place each have nothing within: their ratio and difference say it all -#}
        (not is_paired or coalesce(places, 0) <> coalesce(parts, 0))
        {%- if component != 'total' %} and is_partitioned{% endif %}
        {% else %}
        not is_paired{{ " and measures_asked like '%;" ~ measure.code ~ ";%'" if not measure.get('is_default') }}
        {% endif %}
    {{ 'union all' if not (loop.last and weighting_loop.last and measure_loop.last) }}
    {% endfor %}
    {% endfor %}
    {% endfor %}
),

valued as (
    select
        *,
        case when undefined_reason is null then on_scale * factor end as raw_value
    from measured
)

select
    sets.variant,
    {{ region_columns('sets') }},
    {{ period_columns('sets') }},
    sets.subject_kind,
    case sets.subject_kind when 'spending' then {{ dbt.concat(["'spending.'", 'sets.subject_code']) }} else sets.subject_code end
        as subject_code,
    sets.dimension,
    valued.measure,
    valued.weighting,
    valued.component,
    sets.residence,
    {{ significant('valued.raw_value') }} as value,
    case valued.unit_kind
        when 'estimate' then sets.unit
        when 'square' then {{ dbt.concat(["'('", "sets.unit", "')²'"]) }}
        else valued.unit_kind
    end as unit,
    cast(sets.places as integer) as regions,
    cast(sets.places_missing as integer) as regions_missing,
    valued.undefined_reason,
    case
        when valued.raw_value is null and valued.undefined_reason not in ('no_values', 'group_missing', 'weight_missing')
            then 'M'
        else {{ ranked_status('sets.letters', 'valued.raw_value') }}
    end as obs_status,
    sets.provenance,
    'F' as conf_status,
    sets.reference_geography as boundaries,
    sets.as_of_date as boundaries_date
from valued
inner join {{ ref('int_inequality__compute') }} as sets
    on sets.set_number = valued.set_number
left join {{ ref('int_region__date') }} as region
    on region.reference_geography = sets.reference_geography
    and region.as_of_date = sets.as_of_date
    and region.region_code = sets.region_code
