{#- Measures of fiscal effort (docs/methods/fiscal.md). Money is exact: tests compare decimals, never quotients. -#}

{% macro is_two_thirds(part, whole) -%}
    {#- Whether a part is at least two thirds of a whole, on exact numbers: 3 x part >= 2 x whole. -#}
    cast({{ part }} as decimal(28, 9)) * 3 >= cast({{ whole }} as decimal(28, 9)) * 2
{%- endmacro %}

{% macro increase_reason(part, whole, is_break, has_start, has_test) -%}
    {#- Why the ratio of two increases is not defined; null where it is. -#}
    case
        when not ({{ has_test }}) then 'no_test'
        when not ({{ has_start }}) then 'no_start'
        when {{ part }} is null or {{ whole }} is null then 'missing'
        when {{ is_break }} then 'break'
        when {{ whole }} <= 0 then 'increase_not_positive'
    end
{%- endmacro %}

{% macro rounded_share(value, total) -%}
    {#- A share as an exact decimal of six places; null of an empty whole. -#}
    cast(round({{ junheng.divide(value, total) }}, 6) as decimal(12, 9))
{%- endmacro %}

{% macro split_key(relation='') -%}
    {#- What a split of expenditure is of; its rows differ in the level of government only. -#}
    {%- for column in ['region_code', 'reference_geography', 'year', 'fund', 'account_stage', 'subject_kind',
                       'subject_code'] -%}
        {{ relation ~ '.' if relation }}{{ column }}{{ ', ' if not loop.last }}
    {%- endfor -%}
{%- endmacro %}
