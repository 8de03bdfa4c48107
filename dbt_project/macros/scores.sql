{#- Scores: weighted means of attainments, what keeps them from 100, goalposts. Sources: methods note, sections 2.3 to 2.5
    and 13; the attainment of one indicator is in attainment.sql. All scores are in [0, 1]; points and degrees are x 100. -#}

{% macro renormalised_mean(weighted_sum, available, whole, least) -%}
    {#- The weighted mean of what is available, its weights renormalised: weighted_sum / available. Missing when less than
        the share `least` of the whole weight is available, or none (methods note, 2.3, 1). -#}
    case
        when ({{ available }}) > 0 and ({{ available }}) >= ({{ least }}) * ({{ whole }})
            then {{ junheng.divide(weighted_sum, available) }}
    end
{%- endmacro %}

{% macro weighted_geometric_mean(log_sum, weight, not_positive) -%}
    {#- exp(sum w ln a / sum w): a low score is not made good by a high one. Refused (null) where any score is zero or
        negative; `not_positive` counts them (methods note, 2.3 and 2.5). `log_sum` is sum w ln a. -#}
    case
        when ({{ not_positive }}) > 0 or ({{ weight }}) is null then null
        else exp({{ junheng.divide(log_sum, weight) }})
    end
{%- endmacro %}

{% macro gap_contribution(effective_weight, attainment) -%}
    {#- Points by which an indicator keeps a degree from 100: effective weight x (1 - attainment) x 100; a degree is 100
        less the sum of them (methods note, 13). Cut after 12 decimals, not rounded: the parts of a hundred must not add
        up to more. -#}
    cast(
        cast(floor(1e14 * ({{ effective_weight }}) * (1e0 - ({{ attainment }}))) as decimal(18, 0))
        * cast(0.000000000001 as decimal(18, 12))
    as decimal(18, 12))
{%- endmacro %}

{% macro weighted_variation(square_sum, mean, weight) -%}
    {#- Weighted coefficient of variation as a share: sqrt(sum w (y - mean)^2 / sum w) / mean; undefined unless the mean
        is positive (methods note, 4). `square_sum` is sum w (y - mean)^2. -#}
    case
        when ({{ mean }}) > 0
            then {{ junheng.divide('sqrt(' ~ junheng.divide(square_sum, weight) ~ ')', mean) }}
    end
{%- endmacro %}

{% macro part_within(people, people_before, limit) -%}
    {#- How many of a region's people are among the first `limit` people, regions in order of their score and
        `people_before` in the regions before it: the region at the margin is split exactly. -#}
    greatest(0e0, least(cast({{ people }} as double), ({{ limit }}) - cast({{ people_before }} as double)))
{%- endmacro %}

{% macro goalpost_reason(direction, low, high, target) -%}
    {#- `computed`, or why an indicator cannot be placed between its goalposts: a constant one (low = high) is dropped. -#}
    case
        when {{ low }} is null or {{ high }} is null then 'no_goalposts'
        when {{ low }} = {{ high }} then 'constant'
        when {{ low }} > {{ high }} then 'goalposts_reversed'
        when {{ direction }} = 'interval' and {{ target }} is null then 'no_target'
        when {{ direction }} in ('higher', 'lower', 'interval') then 'computed'
        else 'no_direction'
    end
{%- endmacro %}

{% macro goalpost_unclamped(direction, x, low, high, target) -%}
    {#- The place of x between its goalposts (methods note, 2.5; min-max of the OECD/JRC handbook), 1 at the better end:
        higher (x - low) / (high - low); lower (high - x) / (high - low); interval: 1 at the target, falling to 0 at the
        farther goalpost. -#}
    case
        when {{ x }} is null or {{ junheng.goalpost_reason(direction, low, high, target) }} <> 'computed' then null
        when {{ direction }} = 'higher' then {{ junheng.divide(
            'cast(' ~ x ~ ' as double) - cast(' ~ low ~ ' as double)',
            'cast(' ~ high ~ ' as double) - cast(' ~ low ~ ' as double)') }}
        when {{ direction }} = 'lower' then {{ junheng.divide(
            'cast(' ~ high ~ ' as double) - cast(' ~ x ~ ' as double)',
            'cast(' ~ high ~ ' as double) - cast(' ~ low ~ ' as double)') }}
        else 1e0 - {{ junheng.divide(
            'abs(cast(' ~ x ~ ' as double) - cast(' ~ target ~ ' as double))',
            'greatest(cast(' ~ target ~ ' as double) - cast(' ~ low ~ ' as double), '
                ~ 'cast(' ~ high ~ ' as double) - cast(' ~ target ~ ' as double))') }}
    end
{%- endmacro %}

{% macro goalpost_score(direction, x, low, high, target) -%}
    {#- The same within [0, 1]; null when it cannot be computed: never 0. -#}
    case
        when {{ junheng.goalpost_unclamped(direction, x, low, high, target) }} is not null
            then greatest(0e0, least(1e0, {{ junheng.goalpost_unclamped(direction, x, low, high, target) }}))
    end
{%- endmacro %}

{% macro distance_score(direction, x, low, high, target) -%}
    {#- Distance to target from the worse goalpost: (x - low) / (target - low), mirrored where lower is better; another
        form than attainment (x / target), used in sensitivity only (methods note, 5). -#}
    case
        when {{ x }} is null or {{ target }} is null then null
        when {{ direction }} = 'higher' and {{ x }} >= {{ target }} then 1e0
        when {{ direction }} = 'lower' and {{ x }} <= {{ target }} then 1e0
        when {{ direction }} = 'higher' and {{ low }} < {{ target }} then greatest(0e0, {{ junheng.divide(
            'cast(' ~ x ~ ' as double) - cast(' ~ low ~ ' as double)',
            'cast(' ~ target ~ ' as double) - cast(' ~ low ~ ' as double)') }})
        when {{ direction }} = 'lower' and {{ high }} > {{ target }} then greatest(0e0, {{ junheng.divide(
            'cast(' ~ high ~ ' as double) - cast(' ~ x ~ ' as double)',
            'cast(' ~ high ~ ' as double) - cast(' ~ target ~ ' as double)') }})
        when {{ direction }} = 'interval' then {{ junheng.goalpost_score(direction, x, low, high, target) }}
    end
{%- endmacro %}

{% macro status_to_score(figure) -%}
    {#- The status of a figure as scores take it: a year of which parts are missing is a gap, not something that cannot
        exist there. -#}
    case when {{ figure }}.undefined_reason = 'partial_year' then 'O' else {{ figure }}.obs_status end
{%- endmacro %}
