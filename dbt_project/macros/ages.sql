{#- Age groups as whole years: `0`, `5-9`, `85+`. What is written otherwise has no years: null. -#}

{% macro age_from(age_group) -%}
    {#- The youngest age of a group. -#}
    {{ dbt.safe_cast(dbt.split_part("replace(" ~ age_group ~ ", '+', '-')", "'-'", 1), api.Column.translate_type('integer')) }}
{%- endmacro %}

{% macro age_to(age_group) -%}
    {#- The oldest age of a group; 999 where it has no end. -#}
    case
        when {{ age_group }} like '%+' then 999
        when {{ age_group }} like '%-%'
            then {{ dbt.safe_cast(dbt.split_part(age_group, "'-'", 2), api.Column.translate_type('integer')) }}
        else {{ dbt.safe_cast(age_group, api.Column.translate_type('integer')) }}
    end
{%- endmacro %}
