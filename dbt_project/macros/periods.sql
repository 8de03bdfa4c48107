{#- The years that periods belong to. A year begins on `starts` (MM-DD), the calendar's on 01-01; 2018-19 is named by the
    year it starts or ends in. A period belongs to the year that its last day lies in. -#}

{% macro first_day_of_year(day, starts) -%}
    {#- First day of the year that a day lies in. -#}
    cast({{ dbt.concat([
        'cast(year(' ~ day ~ ') - case when substring(cast(' ~ day ~ ' as ' ~ dbt.type_string() ~ '), 6) < ' ~ starts
            ~ ' then 1 else 0 end as ' ~ dbt.type_string() ~ ')',
        "'-'", starts]) }} as date)
{%- endmacro %}

{% macro last_day_of_year(year_start) -%}
    {#- Last day of the year with this first day. -#}
    cast({{ dbt.dateadd('day', -1, junheng.first_day_of_next_year(year_start)) }} as date)
{%- endmacro %}

{% macro first_day_of_next_year(year_start) -%}
    cast({{ dbt.concat([
        'cast(year(' ~ year_start ~ ') + 1 as ' ~ dbt.type_string() ~ ')',
        'substring(cast(' ~ year_start ~ ' as ' ~ dbt.type_string() ~ '), 5)']) }} as date)
{%- endmacro %}

{% macro year_named(year_start, named_by) -%}
    {#- The number a year is called by: a calendar year has only one. -#}
    cast(year({{ year_start }}) + case
        when {{ named_by }} = 'end' and not ({{ junheng.is_calendar_year(year_start) }}) then 1 else 0
    end as integer)
{%- endmacro %}

{% macro is_calendar_year(year_start) -%}
    {#- Whether the year with this first day is one of the calendar's. -#}
    month({{ year_start }}) = 1 and day({{ year_start }}) = 1
{%- endmacro %}

{% macro year_name(year_start) -%}
    {#- What a year is called: 2018, or 2018-19. -#}
    case
        when {{ junheng.is_calendar_year(year_start) }} then cast(year({{ year_start }}) as {{ dbt.type_string() }})
        else {{ dbt.concat([
            'cast(year(' ~ year_start ~ ') as ' ~ dbt.type_string() ~ ')', "'-'",
            'substring(cast(year(' ~ year_start ~ ') + 1 as ' ~ dbt.type_string() ~ '), 3, 2)']) }}
    end
{%- endmacro %}

{% macro period_name(period_start, period_end, year_start) -%}
    {#- What a period is called: its year, its day, or its first and last day (ISO 8601). -#}
    case
        when {{ period_start }} = {{ year_start }} and {{ period_end }} = {{ junheng.last_day_of_year(year_start) }}
            then {{ junheng.year_name(year_start) }}
        when {{ period_start }} = {{ period_end }} then cast({{ period_end }} as {{ dbt.type_string() }})
        else {{ dbt.concat([
            'cast(' ~ period_start ~ ' as ' ~ dbt.type_string() ~ ')', "'/'",
            'cast(' ~ period_end ~ ' as ' ~ dbt.type_string() ~ ')']) }}
    end
{%- endmacro %}

{% macro nearness_to_year(day, year_start, year_end, wanted) -%}
    {#- How a population of that day suits a year, to order by: one dated inside the year first, of these and of the others
        the one nearest to the `wanted` time of the year (start, middle or end), the earlier of two that are as near. -#}
    case when {{ day }} between {{ year_start }} and {{ year_end }} then 0 else 1 end,
    abs({{ dbt.datediff(
        'case ' ~ wanted ~ " when 'start' then " ~ year_start ~ " when 'end' then " ~ year_end ~ ' else cast('
            ~ dbt.dateadd('month', 6, year_start) ~ ' as date) end', day, 'day') }}),
    {{ day }}
{%- endmacro %}
