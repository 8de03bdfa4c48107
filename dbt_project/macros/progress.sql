{#- How far a figure is from its target: people, years, pace. Source: methods note, section 13. -#}

{% macro people_behind(direction, target, denominator, numerator, multiplier) -%}
    {#- People that the target would still reach: max(0, ceil(target x n) - x); where lower is better, those beyond what
        the target allows: max(0, x - floor(target x n)). The target is in units of the value, so target x n is
        target x denominator / multiplier. The quotient of doubles may fall on the wrong side of a whole number: it is
        corrected by the exact products. Only meaningful where numerator and denominator count persons. -#}
    {%- set wanted -%}
        cast({{ target }} as decimal(18, 6)) * cast({{ denominator }} as decimal(19, 0))
    {%- endset -%}
    {%- set factor -%}
        cast({{ multiplier }} as decimal(18, 6))
    {%- endset -%}
    {%- set nearest -%}
        cast(round({{ junheng.divide('cast(' ~ target ~ ' as double) * cast(' ~ denominator ~ ' as double)', multiplier) }}) as decimal(19, 0))
    {%- endset -%}
    {%- set people -%}
        cast({{ numerator }} as decimal(19, 0))
    {%- endset -%}
    cast(case
        when {{ target }} is null or {{ denominator }} is null or {{ numerator }} is null then null
        when {{ direction }} = 'higher' then greatest(0,
            case when {{ nearest }} * {{ factor }} < {{ wanted }} then {{ nearest }} + 1 else {{ nearest }} end - {{ people }})
        when {{ direction }} = 'lower' then greatest(0,
            {{ people }} - case when {{ nearest }} * {{ factor }} > {{ wanted }} then {{ nearest }} - 1 else {{ nearest }} end)
    end as bigint)
{%- endmacro %}

{% macro yearly_change(x, first_x, years) -%}
    {#- Mean yearly change since the base year. -#}
    {{ junheng.divide('cast(' ~ x ~ ' as double) - cast(' ~ first_x ~ ' as double)', years) }}
{%- endmacro %}

{% macro years_to_target_reason(x, target, first_x, years, is_met) -%}
    {#- `computed`, or why nobody can say how many years it will take. -#}
    case
        when {{ target }} is null then 'no_target'
        when {{ x }} is null then 'value_missing'
        when {{ is_met }} then 'met'
        when {{ first_x }} is null then 'no_base_value'
        when {{ years }} <= 0 then 'base_year'
        when cast({{ x }} as double) = cast({{ first_x }} as double) then 'no_change'
        when (cast({{ target }} as double) - cast({{ x }} as double))
            * (cast({{ x }} as double) - cast({{ first_x }} as double)) <= 0 then 'wrong_way'
        else 'computed'
    end
{%- endmacro %}

{% macro years_to_target(x, target, first_x, years, is_met) -%}
    {#- (target - x) / mean yearly change since the base year: 0 where the target is met, null where the pace points the
        wrong way or is not known. -#}
    case {{ junheng.years_to_target_reason(x, target, first_x, years, is_met) }}
        when 'met' then 0e0
        when 'computed' then {{ junheng.divide(
            'cast(' ~ target ~ ' as double) - cast(' ~ x ~ ' as double)',
            junheng.yearly_change(x, first_x, years)) }}
    end
{%- endmacro %}
