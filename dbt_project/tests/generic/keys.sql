{# Every test here returns the failing rows. Whether they block stands in `meta.severity`, read by the verdict. #}

{% test unique_key(model, columns) %}
    {#- These columns stand together once, and none of them is null. A table's own key is judged as `key_is_unique`. -#}
    {%- set key = [] -%}
    {%- for column in columns -%}{%- do key.append(adapter.quote(column)) -%}{%- endfor -%}
    select {{ key | join(', ') }}, count(*) as rows_with_this_key
    from {{ model }}
    group by {{ key | join(', ') }}
    having count(*) > 1
        {% for column in key %}or {{ column }} is null{% if not loop.last %}
        {% endif %}{% endfor %}
{% endtest %}

{% test has_rows(model) %}
    {#- A table that should never be empty; the failing row says it is. -#}
    select 0 as rows_found
    from (select count(*) as rows_found from {{ model }}) as counted
    where rows_found = 0
{% endtest %}
