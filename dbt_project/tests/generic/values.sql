{# Checks on values of one row. #}

{% test not_negative(model, columns) %}
    select *
    from {{ model }}
    where {% for column in columns %}{{ column }} < 0{% if not loop.last %} or {% endif %}{% endfor %}
{% endtest %}

{% test counts_not_negative(model) %}
    {#- Numerators and denominators of indicators are not negative, but where a measure that they are made of may be. -#}
    select *
    from (select * from {{ model }}) as figure
    where
        (figure.numerator < 0 or figure.denominator < 0)
        and figure.indicator_code not in (
            select term.indicator_code
            from {{ source('source', 'indicator_term') }} as term
            inner join {{ source('source', 'measure') }} as measure
                on measure.measure = term.measure
            where measure.may_be_negative
        )
{% endtest %}

{% test between(model, column_name, low, high) %}
    {#- Within [low, high] where there is a value. -#}
    select *
    from {{ model }}
    where {{ column_name }} < {{ low }} or {{ column_name }} > {{ high }}
{% endtest %}

{% test is_true(model, column_name) %}
    {#- The column is true in each row; null is not true. -#}
    select *
    from {{ model }}
    where coalesce({{ column_name }}, false) = false
{% endtest %}

{% test status_fits_value(model, value, status='obs_status') %}
    {#- A missing status (O, M, L, Q) has no value, and a value has none of them: missing is never a number. -#}
    select *
    from {{ model }}
    where
        {{ status }} is null
        or ({{ value }} is null and {{ status }} not in ('O', 'M', 'L', 'Q'))
        or ({{ value }} is not null and (
            {{ status }} like '%O%' or {{ status }} like '%M%' or {{ status }} like '%L%' or {{ status }} like '%Q%'))
{% endtest %}

{% test in_order(model, columns) %}
    {#- The columns do not decrease from left to right, where they have values (to 12 digits). -#}
    select *
    from {{ model }}
    where
        {%- for column in columns[1:] %}
        {{ columns[loop.index0] }} > {{ column }} + 1e-12 * abs({{ column }}){% if not loop.last %} or{% endif %}
        {%- endfor %}
{% endtest %}

{% test region_in_force(model, column_name, date) %}
    {#- The region is on the list on the date that the number is about, or on that of the boundaries it is on. -#}
    with checked as (
        select * from {{ model }}
    )

    select checked.*
    from checked
    left join {{ ref('int_region__date') }} as region
        on region.reference_geography = 'reported'
        and region.as_of_date = case
            when checked.boundaries = 'reported' then checked.{{ date }}
            else cast({{ dbt.concat(["left(checked.boundaries, 4)", "'-12-31'"]) }} as date)
        end
        and region.region_code = checked.{{ column_name }}
    where region.region_code is null
{% endtest %}

{% test either_or(model, first, second) %}
    {#- Exactly one of two columns is filled: a figure, or the reason why there is none. -#}
    select *
    from {{ model }}
    where ({{ first }} is null) = ({{ second }} is null)
{% endtest %}

{% test inequality_in_bounds(model) %}
    {#- What every measure of inequality obeys whatever the data: a ratio of extremes is at least 1, a dispersion at
        least 0, an index of shares at most 1. A ratio of two groups may be anything positive. -#}
    select *
    from {{ model }}
    where
        (measure = 'ratio' and value < 0)
        or (measure = 'ratio' and value < 1 and dimension in (select region_level from {{ ref('dim_region') }}))
        or (measure in ('cv', 'theil', 'mld', 'variance', 'sd', 'gini', 'idis') and value < -1e-12)
        or (measure like 'mean_difference%' and value < 0)
        or (measure like 'atkinson%' and (value < 0 or value > 1))
        or (measure in ('gini', 'rci') and abs(value) > 1)
        or regions < 0
        or regions_missing < 0
{% endtest %}

{% test within(model, limits) %}
    {#- Every column named is not negative and at most its limit (null: no upper one), where it has a value. -#}
    select *
    from {{ model }}
    where
        {%- for column, limit in limits.items() %}
        {{ 'or ' if not loop.first }}{{ column }} < 0{{ ' or ' ~ column ~ ' > ' ~ limit if limit is not none }}
        {%- endfor %}
{% endtest %}
