{#- What a figure inherits from the figures it is made of: SDMX observation status, and provenance. -#}

{% macro status_letters() -%}
    {#- Codes that are carried on, in the order they are written. A (normal) is what is left when none applies. -#}
    {{ return(['B', 'E', 'P', 'O', 'M', 'L', 'Q']) }}
{%- endmacro %}

{% macro status_of_rows(column) -%}
    {#- Aggregate: the status codes that occur in a group of rows, as one text. -#}
    {%- set parts = [] -%}
    {%- for letter in junheng.status_letters() -%}
        {%- do parts.append("coalesce(max(case when " ~ column ~ " like '%" ~ letter ~ "%' then '" ~ letter ~ "' end), '')") -%}
    {%- endfor -%}
    {{ dbt.concat(parts) }}
{%- endmacro %}

{% macro joined_statuses(columns) -%}
    {#- Scalar: the status texts of several inputs as one text; an absent input adds nothing. -#}
    {%- set parts = [] -%}
    {%- for column in columns -%}
        {%- do parts.append("coalesce(" ~ column ~ ", '')") -%}
    {%- endfor -%}
    {{ dbt.concat(parts) }}
{%- endmacro %}

{% macro ranked_status(letters, value) -%}
    {#- The status of a figure from the statuses of its inputs, `;` between codes: a break first, as the SDMX
        guideline ranks them. A figure without a value says one reason: suppressed (Q) before missing (O) before not
        collected (L) before cannot exist (M); with none of them it is missing. A figure with a value never does.
        Every combination is written out, because no list function is the same in all engines. -#}
    case
        when ({{ value }}) is null then
            case
                when {{ letters }} like '%Q%' then 'Q'
                when {{ letters }} like '%O%' then 'O'
                when {{ letters }} like '%L%' then 'L'
                when {{ letters }} like '%M%' then 'M'
                else 'O'
            end
        else
            case
                when {{ letters }} like '%B%' and {{ letters }} like '%E%' and {{ letters }} like '%P%' then 'B;E;P'
                when {{ letters }} like '%B%' and {{ letters }} like '%E%' then 'B;E'
                when {{ letters }} like '%B%' and {{ letters }} like '%P%' then 'B;P'
                when {{ letters }} like '%E%' and {{ letters }} like '%P%' then 'E;P'
                when {{ letters }} like '%B%' then 'B'
                when {{ letters }} like '%E%' then 'E'
                when {{ letters }} like '%P%' then 'P'
                else 'A'
            end
    end
{%- endmacro %}

{% macro status_of_year(letters, value, is_partial_year) -%}
    {#- The same for a figure of a year: one of which parts are missing cannot exist (M), unless one is suppressed. -#}
    case
        when ({{ value }}) is null and {{ is_partial_year }} and {{ letters }} not like '%Q%' then 'M'
        else {{ junheng.ranked_status(letters, value) }}
    end
{%- endmacro %}

{% macro adds_up(value, status) -%}
    {#- Scalar: whether a part of a sum leaves no gap: it has a value, or what it counts cannot exist there (M), such as a
        service that is not this government's. A gap of any other kind makes the sum missing. -#}
    ({{ value }} is not null or {{ status }} = 'M')
{%- endmacro %}

{% macro letters_of_sum(letters, value, cannot_exist) -%}
    {#- Scalar: the letters of a sum. A sum that is missing is not one that cannot exist, whatever its parts are. -#}
    case when {{ value }} is null and not {{ cannot_exist }} then replace({{ letters }}, 'M', '') else {{ letters }} end
{%- endmacro %}

{% macro provenance_of(columns) -%}
    {#- Scalar: synthetic as soon as one input is; an absent input says nothing. -#}
    case when 'synthetic' in ({% for column in columns %}coalesce({{ column }}, ''){% if not loop.last %}, {% endif %}{% endfor %}) then 'synthetic' else 'official' end
{%- endmacro %}

{% macro provenance_of_rows(column) -%}
    {#- Aggregate: synthetic as soon as one row is. -#}
    case when max(case when {{ column }} = 'synthetic' then 1 else 0 end) = 1 then 'synthetic' else 'official' end
{%- endmacro %}

{% macro derivation_of_rows(column) -%}
    {#- Aggregate: estimated as soon as one row was, else re-based, else averaged, else summed, else reported. -#}
    case max(
        case {{ column }}
            when 'estimated' then 4 when 'rebased' then 3 when 'averaged' then 2 when 'summed' then 1 else 0
        end
    )
        when 4 then 'estimated'
        when 3 then 'rebased'
        when 2 then 'averaged'
        when 1 then 'summed'
        else 'reported'
    end
{%- endmacro %}

{% macro any_true(column) -%}
    {#- Aggregate: whether a flag holds in some row. -#}
    max(case when {{ column }} then 1 else 0 end) = 1
{%- endmacro %}
