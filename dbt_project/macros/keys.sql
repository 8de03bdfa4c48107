{#- Which columns make a reported number the same number, in one place. -#}

{% macro series_dimensions() -%}
    {#- The dimensions of an observation beside its region: what the number is about. Two extracts or deliveries with
        the same region and the same of these report the same figure. -#}
    {{ return(['measure', 'period_start', 'period_end', 'boundaries', 'population_basis', 'residence', 'sex',
               'age_group', 'group_code', 'item']) }}
{%- endmacro %}

{% macro quoted(column) -%}
    {#- A column whose name is a reserved word, in the quotes of the engine at hand. -#}
    {{ adapter.quote(column) }}
{%- endmacro %}

{% macro main_account() -%}
    {#- Condition: spending of the fund and stage of account that is meant where none is named. -#}
    fund = (select main_fund from {{ ref('stg_setting') }}) and account_stage = 'final'
{%- endmacro %}

{% macro source_rank(column, meant) -%}
    {#- The order in which sources of a population are taken: first the one that the jurisdiction means where none is
        named (`meant`), then those that are told every year, then counts. -#}
    case
        when {{ column }} = {{ meant }} then 0
        {%- for source in ['year_end', 'mid_year', 'census', 'none'] %}
        when {{ column }} = '{{ source }}' then {{ loop.index }}
        {%- endfor %}
    end
{%- endmacro %}

{% macro figure_key(reported, series) -%}
    {#- The key of a reported figure as text: who reports it, its region and what it is about, `column=value` joined by
        semicolons. -#}
    {%- set parts = [] -%}
    {%- for column in ['department', 'extract', 'region_code'] -%}
        {%- do parts.append("'" ~ (';' if not loop.first) ~ column ~ "='") -%}
        {%- do parts.append(reported ~ '.' ~ column) -%}
    {%- endfor -%}
    {#- an extract has one kind of boundaries: they tell no figures of it apart -#}
    {%- for column in junheng.series_dimensions() | reject('equalto', 'boundaries') -%}
        {%- do parts.append("';" ~ ('group' if column == 'group_code' else column) ~ "='") -%}
        {%- do parts.append('cast(' ~ series ~ '.' ~ column ~ ' as string)') -%}
    {%- endfor -%}
    {{ dbt.concat(parts) }}
{%- endmacro %}

{% macro key_text(columns) -%}
    {#- Scalar: what columns hold as one text; a missing value is an empty one. -#}
    {%- set parts = [] -%}
    {%- for column in columns -%}
        {%- do parts.append("'|'") if not loop.first -%}
        {%- do parts.append('coalesce(cast(' ~ column ~ ' as ' ~ dbt.type_string() ~ "), '')") -%}
    {%- endfor -%}
    {{ dbt.concat(parts) }}
{%- endmacro %}

{% macro stable_id(columns) -%}
    {#- Scalar: a whole number for what columns hold, the same in every build and on every machine (the first 60 bits of
        its MD5); null where the last of them is. -#}
    {{ return(adapter.dispatch('stable_id', 'junheng')(columns)) }}
{%- endmacro %}

{% macro default__stable_id(columns) -%}
    case when {{ columns[-1] }} is not null
        then cast(conv(substring(md5({{ junheng.key_text(columns) }}), 1, 15), 16, 10) as bigint) end
{%- endmacro %}

{% macro duckdb__stable_id(columns) -%}
    case when {{ columns[-1] }} is not null
        then cast({{ dbt.concat(["'0x'", "substring(md5(" ~ junheng.key_text(columns) ~ "), 1, 15)"]) }} as bigint) end
{%- endmacro %}

{% macro as_listed(year) -%}
    {#- Scalar: the geography that is the list of regions at the end of a year, each by itself: no union joins them. -#}
    {{ dbt.concat(['cast(' ~ year ~ ' as ' ~ dbt.type_string() ~ ')', "' as listed'"]) }}
{%- endmacro %}
