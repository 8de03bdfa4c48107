{#- Summary measures of inequality between the places of a set (docs/methods/inequality.md).

    All are aggregates over the rows of one set. Their arguments:
      p   share of a place in its set: by population, or one over the number of places; they add up to 1
      u   estimate of a place divided by the largest absolute estimate of its set, so that sums are exact (stable_sum)
      m   mean of u weighted by p, the same in every row of a set
      z   u / m, the estimate relative to the mean; null where the mean is not positive or an estimate is negative
      r   mid-rank: share of the set below a place plus half of its own, ties sharing one (mid_rank)
    Measures with a unit are on the scale of u: times the largest absolute estimate gives the unit of the estimate.
    Whether a measure is defined is inequality_reason's say; a formula alone never patches a number.

    Sources: WHO's review of summary measures (Schlotheuber and Hosseinpoor 2022); Shorrocks (1984) for the
    decompositions. -#}

{% macro mid_rank(p, set_columns, order_column) -%}
    {#- Window: the mid-rank of a row by a column, from the shares of its set; rows of equal value share it. -#}
    {{ junheng.stable_sum(p, 'partition by ' ~ set_columns ~ ' order by ' ~ order_column) }}
        - 0.5e0 * {{ junheng.stable_sum(p, 'partition by ' ~ set_columns ~ ', ' ~ order_column) }}
{%- endmacro %}

{% macro between_variance(p, u, m) -%}
    {#- sum p (u - m)^2; the square of the scale of u gives the unit. The standard deviation is its root. -#}
    {{ junheng.stable_sum(p ~ ' * (' ~ u ~ ' - ' ~ m ~ ') * (' ~ u ~ ' - ' ~ m ~ ')') }}
{%- endmacro %}

{% macro coefficient_of_variation(p, u, m) -%}
    {#- Standard deviation over the mean, with n (not n - 1) below the sum. -#}
    {{ junheng.divide('sqrt(' ~ junheng.between_variance(p, u, m) ~ ')', 'max(' ~ m ~ ')') }}
{%- endmacro %}

{% macro mean_difference(p, u, reference) -%}
    {#- sum p |u - reference|: from the mean of the people (whatever the weighting p), from the best place, or from any
        reference. -#}
    {{ junheng.stable_sum(p ~ ' * abs(' ~ u ~ ' - ' ~ reference ~ ')') }}
{%- endmacro %}

{% macro concentration(p, u, m, r) -%}
    {#- 2 cov_p(u, r) = 2 sum p (u - m)(r - 1/2): the absolute concentration index. Divided by the mean it is the
        relative one; with r the rank by the estimate itself that is Gini's coefficient, the same as
        1 - sum (P_k - P_{k-1})(L_k + L_{k-1}). -#}
    2e0 * {{ junheng.stable_sum(p ~ ' * (' ~ u ~ ' - ' ~ m ~ ') * (' ~ r ~ ' - 0.5e0)') }}
{%- endmacro %}

{% macro slope_of_rank(p, u, m, r) -%}
    {#- Slope of the regression of u on the mid-rank, weighted by p: cov_p(u, r) / var_p(r). The slope index (SII). -#}
    {{ junheng.divide(
        junheng.stable_sum(p ~ ' * (' ~ u ~ ' - ' ~ m ~ ') * (' ~ r ~ ' - 0.5e0)'),
        junheng.stable_sum(p ~ ' * (' ~ r ~ ' - 0.5e0) * (' ~ r ~ ' - 0.5e0)')) }}
{%- endmacro %}

{% macro theil(p, z) -%}
    {#- Theil's T: sum p z ln z; 0 ln 0 is its limit, 0. -#}
    {{ junheng.stable_sum(p ~ ' * case when ' ~ z ~ ' > 0 then ' ~ z ~ ' * ln(' ~ z ~ ') when ' ~ z ~ ' = 0 then 0e0 end') }}
{%- endmacro %}

{% macro theil_within(p, z, part_z) -%}
    {#- Inequality within the parts, sum s_k (m_k / m) T_k, place by place: sum p z ln(z / z_k), where z_k is the mean
        of a place's part relative to the mean of all. -#}
    {{ junheng.stable_sum(p ~ ' * case when ' ~ z ~ ' > 0 then ' ~ z ~ ' * (ln(' ~ z ~ ') - ln(' ~ part_z ~ ')) when ' ~ z ~ ' = 0 then 0e0 end') }}
{%- endmacro %}

{% macro theil_between(p, z, part_z) -%}
    {#- Inequality between the parts, sum s_k (m_k / m) ln(m_k / m), place by place: sum p z ln z_k. -#}
    {{ junheng.stable_sum(p ~ ' * case when ' ~ z ~ ' > 0 then ' ~ z ~ ' * ln(' ~ part_z ~ ') when ' ~ z ~ ' = 0 then 0e0 end') }}
{%- endmacro %}

{% macro mean_log_deviation(p, z) -%}
    {#- Theil's L: -sum p ln z. Infinite, and not computed, where an estimate is zero. -#}
    -{{ junheng.stable_sum(p ~ ' * case when ' ~ z ~ ' > 0 then ln(' ~ z ~ ') end') }}
{%- endmacro %}

{% macro mean_log_deviation_within(p, z, part_z) -%}
    {#- sum s_k L_k, place by place: -sum p ln(z / z_k). -#}
    -{{ junheng.stable_sum(p ~ ' * case when ' ~ z ~ ' > 0 then (ln(' ~ z ~ ') - ln(' ~ part_z ~ ')) end') }}
{%- endmacro %}

{% macro mean_log_deviation_between(p, z, part_z) -%}
    {#- -sum s_k ln(m_k / m), place by place: -sum p ln z_k. -#}
    -{{ junheng.stable_sum(p ~ ' * case when ' ~ z ~ ' > 0 then ln(' ~ part_z ~ ') end') }}
{%- endmacro %}

{% macro atkinson(p, z, aversion) -%}
    {#- 1 - (sum p z^(1-e))^(1/(1-e)); for e = 1 one less the geometric mean. An estimate of zero gives 1 from e = 1 on,
        its limit. -#}
    {%- if aversion == 1 -%}
    case
        when min({{ z }}) = max({{ z }}) then 0e0
        when min({{ z }}) = 0 then 1e0
        else 1e0 - exp({{ junheng.stable_sum(p ~ ' * case when ' ~ z ~ ' > 0 then ln(' ~ z ~ ') end') }})
    end
    {%- else -%}
    case
        when min({{ z }}) = max({{ z }}) then 0e0
        {%- if aversion > 1 %}
        when min({{ z }}) = 0 then 1e0
        {%- endif %}
        else 1e0 - power(
            {{ junheng.stable_sum(p ~ ' * case when ' ~ z ~ ' > 0 then power(' ~ z ~ ', ' ~ (1 - aversion) ~ ') when ' ~ z ~ ' = 0 then 0e0 end') }},
            {{ 1 / (1 - aversion) }}
        )
    end
    {%- endif -%}
{%- endmacro %}

{% macro population_attributable_risk(best, m, direction) -%}
    {#- Scalar: what the mean would gain if every place were as the best one; 0 where the sign is wrong. -#}
    case {{ direction }}
        when 'higher' then greatest({{ best }} - {{ m }}, 0e0)
        when 'lower' then least({{ best }} - {{ m }}, 0e0)
    end
{%- endmacro %}

{% macro inequality_measures() -%}
    {#- Every measure: code, weightings, components, unit (`1`, `%`, or `estimate` for the unit of the estimate and
        `square` for its square), and whether it is published without being asked for. -#}
    {{ return([
        {'code': 'difference', 'weightings': ['none'], 'unit': 'estimate', 'is_default': true},
        {'code': 'ratio', 'weightings': ['none'], 'unit': '1', 'is_default': true},
        {'code': 'cv', 'weightings': ['population', 'none'], 'unit': '%', 'is_default': true},
        {'code': 'theil', 'weightings': ['population'], 'unit': '1', 'is_default': true,
         'components': ['total', 'within', 'between']},
        {'code': 'mld', 'weightings': ['population'], 'unit': '1', 'components': ['total', 'within', 'between']},
        {'code': 'variance', 'weightings': ['population', 'none'], 'unit': 'square'},
        {'code': 'sd', 'weightings': ['population', 'none'], 'unit': 'estimate'},
        {'code': 'gini', 'weightings': ['population', 'none'], 'unit': '1'},
        {'code': 'atkinson_0.5', 'weightings': ['population'], 'unit': '1'},
        {'code': 'atkinson_1', 'weightings': ['population'], 'unit': '1'},
        {'code': 'atkinson_2', 'weightings': ['population'], 'unit': '1'},
        {'code': 'mean_difference_from_mean', 'weightings': ['population', 'none'], 'unit': 'estimate'},
        {'code': 'mean_difference_from_best', 'weightings': ['population', 'none'], 'unit': 'estimate'},
        {'code': 'mean_difference_from_reference', 'weightings': ['population', 'none'], 'unit': 'estimate'},
        {'code': 'idis', 'weightings': ['population', 'none'], 'unit': '%'},
        {'code': 'sii', 'weightings': ['population'], 'unit': 'estimate'},
        {'code': 'rii', 'weightings': ['population'], 'unit': '1'},
        {'code': 'aci', 'weightings': ['population'], 'unit': 'estimate'},
        {'code': 'rci', 'weightings': ['population'], 'unit': '1'},
        {'code': 'par', 'weightings': ['population'], 'unit': 'estimate'},
        {'code': 'paf', 'weightings': ['population'], 'unit': '%'},
    ]) }}
{%- endmacro %}

{% macro inequality_reason(measure, weighting, component) -%}
    {#- Why a measure of a set is not defined; null where it is. Columns of int_inequality__compute. The order says
        which of several reasons is given. -#}
    {%- set needs_mean = measure in ('cv', 'theil', 'mld', 'gini', 'idis', 'rci', 'paf', 'rii')
        or measure.startswith('atkinson') -%}
    {%- set refuses_negative = measure in ('theil', 'mld', 'gini', 'ratio') or measure.startswith('atkinson') -%}
    {%- set needs_order = measure in ('sii', 'rii', 'aci', 'rci') -%}
    {%- set from_mean = measure in ('mean_difference_from_mean', 'idis') -%}
    {%- set mean = 'weighted_mean' if weighting == 'population' or from_mean else 'plain_mean' -%}
    case
        when places = 0 then 'no_values'
        when is_paired and parts < 2 then 'group_missing'
        when places < 2 then 'fewer_than_two_places'
        {%- if weighting == 'population' or from_mean or measure in ('ratio', 'difference') %}
        when {% if measure in ('ratio', 'difference') %}is_paired and {% endif %}weighted_mean is null then 'weight_missing'
        {%- endif %}
        {%- if measure in ('variance', 'sd') %}
        when places < 3 then 'fewer_than_three_places'
        {%- endif %}
        {%- if refuses_negative %}
        when lowest < 0 then 'negative_values'
        {%- endif %}
        {%- if measure == 'ratio' %}
        when case when is_paired then second_mean else lowest end = 0 then 'divisor_is_zero'
        {%- endif %}
        {%- if needs_order %}
        when ordered_places < places then 'no_ordering'
        when order_groups < 3 then 'fewer_than_three_groups'
        {%- endif %}
        {%- if measure == 'mean_difference_from_reference' %}
        when ordered_places < places then 'no_ordering'
        when reference_places > 1 then 'reference_tied'
        {%- endif %}
        {%- if measure in ('mean_difference_from_best', 'par', 'paf') %}
        when best is null then 'no_direction'
        {%- endif %}
        {%- if needs_mean %}
        when {{ mean }} <= 0 then case when highest = 0 and lowest = 0 then 'all_zero' else 'mean_not_positive' end
        {%- endif %}
        {%- if measure == 'mld' %}
        when lowest = 0 then 'zero_values'
        {%- endif %}
        {%- if measure == 'rii' %}
        when weighted_mean - slope * 0.5e0 <= 0 then 'intercept_not_positive'
        {%- endif %}
    end
{%- endmacro %}
