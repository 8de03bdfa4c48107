{#- The only place that divides, and the only place that sums exact numbers. -#}

{% macro divide(numerator, denominator) -%}
    {#- A quotient as double; null when the denominator is null or zero: a rate over nobody does not exist.
        Both sides are cast first: wide decimal products overflow and engines differ in the type of `/`. -#}
    case
        when ({{ denominator }}) is null or ({{ denominator }}) = 0 then null
        else cast({{ numerator }} as double) / cast({{ denominator }} as double)
    end
{%- endmacro %}

{% macro exact(expression) -%}
    {#- Back to the type of observations: sums of decimals grow wider in every engine. -#}
    cast({{ expression }} as decimal(28, 9))
{%- endmacro %}

{% macro exact_sum(expression) -%}
    {#- An exact sum; its order cannot change the result, unlike a sum of doubles. -#}
    {{ junheng.exact('sum(' ~ expression ~ ')') }}
{%- endmacro %}

{% macro stable_sum(expression, over='') -%}
    {#- A sum of doubles that no order of rows can change: each term is rounded to a whole number of units (stable_units)
        and these are summed exactly. Terms must be scaled to about one first (shares, ratios to a mean or a largest
        value): beyond 1e18 they do not fit. `over` makes it a window. -#}
    (cast({{ junheng.stable_part(expression) }}{% if over %} over ({{ over }}){% endif %} as double) / {{ junheng.stable_units() }})
{%- endmacro %}

{% macro stable_part(expression) -%}
    {#- A part of such a sum, to be added up by `stable_sum_of_parts`: exact as long as no double is made of it. -#}
    sum(cast(({{ expression }}) * {{ junheng.stable_units() }} as decimal(38, 0)))
{%- endmacro %}

{% macro stable_sum_of_parts(part) -%}
    {#- The sum whose parts are given. -#}
    (cast(sum({{ part }}) as double) / {{ junheng.stable_units() }})
{%- endmacro %}

{% macro stable_units() -%}
    {#- 2 to the 66th: so many units make one. A power of two changes no digit of a double, up or down, and a unit is about
        1e-20. Whole numbers of units, because a decimal with many digits behind the point takes fifty times as long to
        become a double. -#}
    73786976294838206464e0
{%- endmacro %}

{% macro significant(column, digits=12) -%}
    {#- A double column rounded to so many significant digits: the last bits of logarithms and powers differ between
        machines, a published figure must not. Powers of ten up to 22 are exact, so the result is the double that the
        rounded number reads as. -#}
    {%- set exponent = 'floor(log10(abs(' ~ column ~ ')))' -%}
    case
        when {{ column }} is null then null
        when {{ column }} = 0 then 0e0
        when {{ exponent }} < {{ digits }} then {{ junheng.divide(
            'round(' ~ column ~ ' * power(10e0, ' ~ (digits - 1) ~ ' - ' ~ exponent ~ '))',
            'power(10e0, ' ~ (digits - 1) ~ ' - ' ~ exponent ~ ')') }}
        else round({{ junheng.divide(column, 'power(10e0, ' ~ exponent ~ ' - ' ~ (digits - 1) ~ ')') }})
            * power(10e0, {{ exponent }} - {{ digits - 1 }})
    end
{%- endmacro %}
