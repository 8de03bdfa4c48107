{#- Wilson score interval of a proportion x/n: (2x + z² ± z·sqrt(z² + 4x(1 − x/n))) / (2(n + z²)).
    Wilson (1927); the reference implementation is R's PHEindicatormethods. z is the 97.5 % normal quantile.
    At x = 0 and x = n the outer limit is 0 or 1 exactly; rounding must not put it outside.
    Undefined (null) for n = 0, x < 0 and x > n. For full counts it expresses natural variation, not sampling error. -#}

{% macro wilson_low(x, n) -%}
    {{ junheng.wilson_limit(x, n, '-') }}
{%- endmacro %}

{% macro wilson_high(x, n) -%}
    {{ junheng.wilson_limit(x, n, '+') }}
{%- endmacro %}

{% macro wilson_limit(x, n, sign) -%}
    {%- set z = '1.959963984540054e0' -%}
    {%- set z2 = '3.841458820694124e0' -%}
    {%- set xd = 'cast(' ~ x ~ ' as double)' -%}
    {%- set nd = 'cast(' ~ n ~ ' as double)' -%}
    case
        when ({{ x }}) is null or ({{ n }}) is null or ({{ n }}) <= 0 or ({{ x }}) < 0 or ({{ x }}) > ({{ n }}) then null
        {%- if sign == '-' %}
        when ({{ x }}) = 0 then 0e0
        {%- else %}
        when ({{ x }}) = ({{ n }}) then 1e0
        {%- endif %}
        else {{ junheng.divide(
            '2e0 * ' ~ xd ~ ' + ' ~ z2 ~ ' ' ~ sign ~ ' ' ~ z ~ ' * sqrt(' ~ z2 ~ ' + 4e0 * ' ~ xd ~ ' * (1e0 - ' ~ junheng.divide(xd, nd) ~ '))',
            '2e0 * (' ~ nd ~ ' + ' ~ z2 ~ ')'
        ) }}
    end
{%- endmacro %}
