{#- Which columns make a reported number the same number, in one place. -#}

{% macro series_dimensions() -%}
    {#- The dimensions of an observation beside its region: what the number is about. Two extracts or deliveries with
        the same region and the same of these report the same figure. -#}
    {{ return(['measure', 'period_start', 'period_end', 'population_basis', 'residence', 'sex', 'age_group',
               'group_code', 'item']) }}
{%- endmacro %}

{% macro quoted(column) -%}
    {#- A column whose name is a reserved word, in the quotes of the engine at hand. -#}
    {{ adapter.quote(column) }}
{%- endmacro %}
