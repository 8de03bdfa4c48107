{#- Which columns make a reported number the same number, in one place. -#}

{% macro series_dimensions() -%}
    {#- The dimensions of an observation beside its region: what the number is about. -#}
    {{ return(['measure', 'period_start', 'period_end', 'population_basis', 'residence', 'sex', 'age_group',
               'group_code', 'item']) }}
{%- endmacro %}

{% macro series_key(prefix='') -%}
    {#- One short text for all dimensions but the region: joins on it in place of nine columns. -#}
    {{ junheng.hashed_columns(junheng.series_dimensions(), prefix) }}
{%- endmacro %}

{% macro observation_key(region_code='region_code', series_key='series_key') -%}
    {#- The key of a reported number: two extracts or deliveries with the same key report the same figure. -#}
    {{ dbt.concat([region_code, "'|'", series_key]) }}
{%- endmacro %}

{% macro hashed_columns(columns, prefix='') -%}
    {#- MD5 over the columns as text, with a separator that no code contains; null counts as empty. -#}
    {%- set parts = [] -%}
    {%- for column in columns -%}
        {%- do parts.append("coalesce(cast(" ~ prefix ~ column ~ " as " ~ dbt.type_string() ~ "), '')") -%}
        {%- if not loop.last -%}{%- do parts.append("'|'") -%}{%- endif -%}
    {%- endfor -%}
    {{ dbt.hash(dbt.concat(parts)) }}
{%- endmacro %}

{% macro quoted(column) -%}
    {#- A column whose name is a reserved word, in the quotes of the engine at hand. -#}
    {{ adapter.quote(column) }}
{%- endmacro %}
