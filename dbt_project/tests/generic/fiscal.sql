{# Checks on measures of fiscal effort. #}

{% test two_thirds_on_exact_numbers(model) %}
    {#- The flag is what the exact increments say. -#}
    select *
    from {{ model }}
    where
        (meets_two_thirds is not null and (
            resources_increase <= 0
            or meets_two_thirds <> (3 * livelihood_increase - 2 * resources_increase >= 0)))
        or (meets_two_thirds_since_base is not null and (
            resources_increase_since_base <= 0
            or meets_two_thirds_since_base <> (3 * livelihood_increase_since_base - 2 * resources_increase_since_base >= 0)))
{% endtest %}

{% test livelihood_is_its_classes(model) %}
    {#- Livelihood spending as returned equals the sum of the classes that the scope of the test names; a class stands
        for those below it. -#}
    with classes as (
        select
            class.region_code, class.reference_geography, class.year, class.fund, class.account_stage,
            sum(class.value) as value,
            count(*) - count(class.value) as gaps
        from {{ ref('int_spending__map_classes') }} as class
        inner join {{ source('source', 'two_thirds_test') }} as test
            on test.fund = class.fund
            and test.account_stage = class.account_stage
            and (
                {%- for digits in range(1, 10) %}
                {{ 'or ' if not loop.first }}{{ dbt.concat(["';'", "test.livelihood_classes", "';'"]) }}
                    like {{ dbt.concat(["'%;'", "substring(class.class_code, 1, " ~ digits ~ ")", "';%'"]) }}
                {%- endfor %}
            )
        where class.residence = 'total'
        group by class.region_code, class.reference_geography, class.year, class.fund, class.account_stage
    )

    select classes.region_code, classes.year, classes.fund, classes.value as sum_of_classes, returned.value as returned
    from classes
    inner join {{ source('source', 'two_thirds_test') }} as test
        on test.fund = classes.fund
        and test.account_stage = classes.account_stage
    inner join {{ ref('int_observation__select_years') }} as returned
        on returned.measure = test.livelihood
        and returned.region_code = classes.region_code
        and returned.reference_geography = classes.reference_geography
        and returned.year = classes.year
        and returned.residence = 'total'
        and returned.sex = 'all'
        and returned.age_group = 'all'
        and returned.group_code = 'all'
        and returned.item = 'all'
    where classes.gaps = 0 and classes.value <> returned.value
{% endtest %}
