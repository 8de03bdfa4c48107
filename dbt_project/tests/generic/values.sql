{# Checks on values of one row. #}

{% test region_in_force(model, column_name, date) %}
    {#- The region is on the list on the date that the number is about, or on that of the boundaries it is on. -#}
    with checked as (
        select * from {{ model }}
    )

    select checked.*
    from checked
    left join {{ ref('int_region__date') }} as region
        on region.reference_geography = 'reported'
        and region.as_of_date = case
            when checked.boundaries = 'reported' then checked.{{ date }}
            else cast({{ dbt.concat(["left(checked.boundaries, 4)", "'-12-31'"]) }} as date)
        end
        and region.region_code = checked.{{ column_name }}
    where region.region_code is null
{% endtest %}
