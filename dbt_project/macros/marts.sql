{#- The columns that all tables for people share. -#}

{% macro region_columns(figure, region='region') -%}
    {#- Who a row is about, by the names in force then. `region` is int_region__date, joined by `joins_region`. -#}
    {{ region }}.region_id,
    {{ figure }}.region_code,
    {{ region }}.region_name,
    {{ region }}.region_name_en,
    {{ region }}.region_level,
    {{ region }}.region_depth,
    {{ region }}.parent_code,
    {{ region }}.parent_name,
    {{ region }}.parent_name_en
{%- endmacro %}

{% macro joins_region(figure, region='region') -%}
    inner join {{ ref('int_region__date') }} as {{ region }}
        on {{ region }}.reference_geography = {{ figure }}.reference_geography
        and {{ region }}.as_of_date = {{ figure }}.as_of_date
        and {{ region }}.region_code = {{ figure }}.region_code
{%- endmacro %}

{% macro period_columns(figure) -%}
    {{ figure }}.year,
    {{ junheng.year_name(figure ~ '.year_start') }} as period_name,
    {{ figure }}.year_start as period_start,
    {{ junheng.last_day_of_year(figure ~ '.year_start') }} as period_end
{%- endmacro %}

{% macro texts_in_order(column) -%}
    {#- Aggregate: the different texts of a group in alphabetical order, joined by commas. -#}
    {{ return(adapter.dispatch('texts_in_order', 'junheng')(column)) }}
{%- endmacro %}

{% macro default__texts_in_order(column) -%}
    array_join(array_sort(collect_set({{ column }})), ',')
{%- endmacro %}

{% macro duckdb__texts_in_order(column) -%}
    string_agg(distinct {{ column }}, ',' order by {{ column }})
{%- endmacro %}

{% macro domain_names(domain, relation) -%}
    {#- The names of a domain; `all` and `basic` have no line among the domains. `relation`: joined by `joins_domain`. -#}
    case {{ domain }} when 'all' then '总体' when 'basic' then '基本公共服务' else {{ relation }}.name_zh end as domain_name_zh,
    case {{ domain }} when 'all' then 'Overall' when 'basic' then 'Basic services together' else {{ relation }}.name_en end
        as domain_name_en
{%- endmacro %}

{% macro joins_domain(domain) -%}
    left join {{ source('source', 'domain') }} as domain
        on domain.domain = {{ domain }}
{%- endmacro %}

{% macro of_first_year(what, value, year, partition) -%}
    {#- Window: `what` in the first year of the partition that has a value; both engines skip an order that is null. -#}
    min_by({{ what }}, case when {{ value }} is not null then {{ year }} end) over (partition by {{ partition }})
{%- endmacro %}

{% macro rows_of_main(model) -%}
    {#- The rows of the main variant, without the columns that say so. -#}
    select {{ junheng.all_columns_but('variant, boundaries, boundaries_date') }}
    from {{ model }}
    where variant = 'main'
{%- endmacro %}

{% macro rows_of_variants(model) -%}
    {#- The rows of every declared variant but the main one. -#}
    select {{ junheng.all_columns_but('boundaries_date') }}
    from {{ model }}
    where variant <> 'main'
{%- endmacro %}

{% macro all_columns_but(columns) -%}
    {{ return(adapter.dispatch('all_columns_but', 'junheng')(columns)) }}
{%- endmacro %}

{% macro default__all_columns_but(columns) -%}
    * except ({{ columns }})
{%- endmacro %}

{% macro duckdb__all_columns_but(columns) -%}
    * exclude ({{ columns }})
{%- endmacro %}
