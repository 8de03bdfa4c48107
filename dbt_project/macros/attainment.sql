{#- Attainment ratio of an indicator against its target (methods note, section 2.2), after the well-off-society
    monitoring of the statistics bureau (2008, 2013): x value, t target, [low, high] the limits of an interval
    indicator, b the baseline that a target of zero is measured from.

      higher is better    clamp(x / t, 0, 1)                      needs t > 0
      lower is better     1 if x <= t, else t / x; for t = 0: 1 if x = 0, else clamp(1 - x / b, 0, 1), needs b > 0
      interval            1 at t, (x - low) / (t - low) below, (high - x) / (high - t) above, clamped to [0, 1]

    A missing value has no attainment: never 0. -#}

{% macro attainment_reason(direction, x, t, low, high, b) -%}
    {#- `computed`, or why there is no attainment. -#}
    case
        when {{ t }} is null then 'no_target'
        when {{ x }} is null then 'value_missing'
        when {{ direction }} = 'higher' and {{ t }} <= 0 then 'target_not_positive'
        when {{ direction }} = 'lower' and {{ t }} < 0 then 'target_negative'
        when {{ direction }} = 'lower' and {{ t }} = 0 and {{ x }} > 0 and coalesce({{ b }}, 0) <= 0 then 'no_baseline'
        when {{ direction }} = 'interval' and ({{ low }} is null or {{ high }} is null
            or {{ low }} >= {{ t }} or {{ high }} <= {{ t }}) then 'no_limits'
        when {{ direction }} in ('higher', 'lower', 'interval') then 'computed'
        else 'no_direction'
    end
{%- endmacro %}

{% macro attainment_uncapped(direction, x, t, low, high, b) -%}
    {#- The ratio before clamping, so that overshoot stays visible; never to be averaged.
        Lower-is-better at x = 0 has no finite ratio: null, its attainment is 1. -#}
    case
        when {{ junheng.attainment_reason(direction, x, t, low, high, b) }} <> 'computed' then null
        when {{ direction }} = 'higher' then {{ junheng.divide(x, t) }}
        when {{ direction }} = 'lower' and {{ t }} > 0 then
            case when {{ x }} > 0 then {{ junheng.divide(t, x) }} end
        when {{ direction }} = 'lower' and {{ x }} <= 0 then 1e0
        when {{ direction }} = 'lower' then 1e0 - {{ junheng.divide(x, b) }}
        when {{ x }} < {{ t }} then {{ junheng.divide(
            'cast(' ~ x ~ ' as double) - cast(' ~ low ~ ' as double)',
            'cast(' ~ t ~ ' as double) - cast(' ~ low ~ ' as double)') }}
        when {{ x }} > {{ t }} then {{ junheng.divide(
            'cast(' ~ high ~ ' as double) - cast(' ~ x ~ ' as double)',
            'cast(' ~ high ~ ' as double) - cast(' ~ t ~ ' as double)') }}
        else 1e0
    end
{%- endmacro %}

{% macro attainment(direction, x, t, low, high, b) -%}
    {#- The ratio within [0, 1]; null when it cannot be computed. -#}
    case
        when {{ junheng.attainment_reason(direction, x, t, low, high, b) }} <> 'computed' then null
        when {{ direction }} = 'lower' and {{ x }} <= {{ t }} then 1e0
        else greatest(0e0, least(1e0, {{ junheng.attainment_uncapped(direction, x, t, low, high, b) }}))
    end
{%- endmacro %}
