{# Every test here returns the failing rows. Whether they block stands in `meta.severity`, read by the verdict. #}

{% test has_rows(model) %}
    {#- A table that should never be empty; the failing row says it is. -#}
    select 0 as rows_found
    from (select count(*) as rows_found from {{ model }}) as counted
    where rows_found = 0
{% endtest %}
