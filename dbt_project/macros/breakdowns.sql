{#- Which part of the people a figure is about, as one text: `all`, `residence=urban`, `sex=female;age_group=65+`. -#}

{% macro breakdown(residence, sex, age_group, group) -%}
    {%- set parts = [] -%}
    {%- for name, column, whole in [('residence', residence, 'total'), ('sex', sex, 'all'),
                                    ('age_group', age_group, 'all'), ('group', group, 'all')] -%}
        {%- do parts.append("case when " ~ column ~ " = '" ~ whole ~ "' then '' else "
            ~ dbt.concat(["';" ~ name ~ "='", column]) ~ " end") -%}
    {%- endfor -%}
    {%- set joined = dbt.concat(parts) -%}
    case when {{ joined }} = '' then 'all' else substring({{ joined }}, 2) end
{%- endmacro %}
