{#- How numbers are called where one is a term of another: what kind of number it is, then what it is about, joined by `|`.
    A name is the same in every build and can be read. -#}

{% macro figure_id(subject, region_id='region_id', year='year', breakdown="'all'", variant='variant') -%}
    {{ junheng.key_text([subject, region_id, year, breakdown, variant]) }}
{%- endmacro %}

{% macro value_id(series='series_number', region='region_code') -%}
    {#- A number of one series in one region: reported, or made of such. -#}
    {{ junheng.key_text([series, region]) }}
{%- endmacro %}

{% macro money_id(level, relation, region='region_code', residence=none) -%}
    {#- Spending in a region of one level of government, or of all. -#}
    {%- set r = relation ~ '.' -%}
    {{ junheng.key_text([r ~ 'reference_geography', r ~ region, r ~ 'year', r ~ 'fund', r ~ 'account_stage', level,
                         r ~ 'domain', residence or r ~ 'residence']) }}
{%- endmacro %}

{% macro population_id(relation, date='reference_date', sex="'all'", age_group="'all'") -%}
    {#- A population of a day: of everybody, or of a sex and an age group. -#}
    {%- set r = relation ~ '.' -%}
    {{ junheng.key_text([r ~ 'reference_geography', r ~ 'region_code', r ~ date, r ~ 'population_source',
                         r ~ 'population_basis', r ~ 'residence', sex, age_group]) }}
{%- endmacro %}

{% macro score_id(relation, region) -%}
    {#- The score of an indicator in a region on a scale: its attainment of a target, its place between goalposts. -#}
    {%- set r = relation ~ '.' -%}
    {{ junheng.key_text([r ~ 'scale_kind', r ~ 'scale', r ~ 'reference_geography', r ~ 'year', r ~ region,
                         r ~ 'indicator_code']) }}
{%- endmacro %}

{% macro contribution_id(relation, domain) -%}
    {#- What an indicator takes from the score of a region in a domain, or in all (`all`). -#}
    {%- set r = relation ~ '.' -%}
    {{ junheng.key_text([r ~ 'scale_kind', r ~ 'scale', r ~ 'weight_set', r ~ 'reference_geography', r ~ 'year',
                         r ~ 'region_code', domain, r ~ 'indicator_code']) }}
{%- endmacro %}

{% macro leaf_score_id(relation, domain, leaf=none) -%}
    {#- The score of a lowest region in a domain, or in all, as the region above sees it. -#}
    {%- set r = relation ~ '.' -%}
    {{ junheng.key_text([r ~ 'scale', r ~ 'weight_set', r ~ 'reference_geography', r ~ 'year', r ~ 'region_code',
                         leaf or r ~ 'leaf_code', domain]) }}
{%- endmacro %}

{% macro level_id(relation, method) -%}
    {#- The level of the composite index of a region: the mean of its scores between goalposts. -#}
    {%- set r = relation ~ '.' -%}
    {{ junheng.key_text([r ~ 'scale', r ~ 'weight_set', r ~ 'reference_geography', r ~ 'year', r ~ 'region_code',
                         r ~ 'domain', method]) }}
{%- endmacro %}
