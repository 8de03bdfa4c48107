{#- How numbers are called where one is a term of another: what kind of number it is, then what it is about, joined by `|`.
    A name is the same in every build and can be read. -#}

{% macro figure_id(subject, region_id='region_id', year='year', breakdown="'all'", variant='variant') -%}
    {{ junheng.key_text([subject, region_id, year, breakdown, variant]) }}
{%- endmacro %}

{% macro value_id(series='series_number', region='region_code') -%}
    {#- A number of one series in one region: reported, or made of such. -#}
    {{ junheng.key_text([series, region]) }}
{%- endmacro %}

{% macro money_id(level, relation, region='region_code') -%}
    {#- Spending in a region of one level of government, or of all. -#}
    {%- set r = relation ~ '.' -%}
    {{ junheng.key_text([r ~ 'reference_geography', r ~ region, r ~ 'year', r ~ 'fund', r ~ 'account_stage', level,
                         r ~ 'domain', r ~ 'residence']) }}
{%- endmacro %}

{% macro population_id(relation, date='reference_date') -%}
    {%- set r = relation ~ '.' -%}
    {{ junheng.key_text([r ~ 'reference_geography', r ~ 'region_code', r ~ date, r ~ 'population_source',
                         r ~ 'population_basis', r ~ 'residence']) }}
{%- endmacro %}

{% macro score_id(relation, domain) -%}
    {#- The score of a lowest region in a domain, as the region above (or itself) sees it. -#}
    {%- set r = relation ~ '.' -%}
    {{ junheng.key_text([r ~ 'tree_number', r ~ 'place_number', r ~ 'leaf_number', domain]) }}
{%- endmacro %}
