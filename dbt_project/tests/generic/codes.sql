{% test agreed_codes(model, codes) %}
    {#- Code columns hold only agreed codes; null is none of them. `codes` maps each column to its values, which stand in one
        text with blanks between them: dbt reads every text of a check as a template of its own. One pass over the table
        checks all its columns. -#}
    {%- set row_is_wrong = [] -%}
    {%- for column, values in codes.items() -%}
        {%- do row_is_wrong.append("coalesce(" ~ column ~ ", '') not in ('" ~ values.split() | join("', '") ~ "')") -%}
    {%- endfor -%}
    select {{ codes.keys() | join(', ') }}, count(*) as rows_with_these_codes
    from {{ model }}
    where {{ row_is_wrong | join('\n        or ') }}
    group by {{ codes.keys() | join(', ') }}
{% endtest %}
