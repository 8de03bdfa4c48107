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
