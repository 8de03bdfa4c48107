{% test parts_add_up(model, value, dimension, total, keys, parts=none, not_parts=[]) %}
    {#- Parts of a dimension add up to its total, exactly: `parts` names them (all must be there), or every value but
        the total and `not_parts` is one. Only groups whose total and parts all have values are compared.
        `keys` are the other columns of the figure; rows that repeat a figure (per population) count once. -#}
    {%- set key = [] -%}
    {%- for column in keys -%}{%- do key.append(adapter.quote(column)) -%}{%- endfor -%}
    {%- set listed = [] -%}
    {%- for part in parts or [] -%}{%- do listed.append("'" ~ part ~ "'") -%}{%- endfor -%}
    {%- set left_out = ["'" ~ total ~ "'"] -%}
    {%- for part in not_parts -%}{%- do left_out.append("'" ~ part ~ "'") -%}{%- endfor -%}
    {%- set is_part = dimension ~ (' in (' ~ listed | join(', ') if parts else ' not in (' ~ left_out | join(', ')) ~ ')' -%}
    with figures as (
        select distinct {{ key | join(', ') }}, {{ dimension }}, {{ value }}
        from {{ model }}
    )

    select
        {{ key | join(', ') }},
        max(case when {{ dimension }} = '{{ total }}' then {{ value }} end) as total,
        sum(case when {{ is_part }} then {{ value }} end) as sum_of_parts
    from figures
    group by {{ key | join(', ') }}
    having
        count(case when {{ dimension }} = '{{ total }}' then {{ value }} end) = 1
        and count(case when {{ is_part }} then {{ value }} end)
            {% if parts %}= {{ parts | length }}{% else %}= count(case when {{ is_part }} then 1 end)
        and count(case when {{ is_part }} then 1 end) > 0{% endif %}

        and max(case when {{ dimension }} = '{{ total }}' then {{ value }} end)
            <> sum(case when {{ is_part }} then {{ value }} end)
{% endtest %}

{% test floats_add_up(model, value, dimension, total, parts, keys) %}
    {#- The same for figures that are no exact numbers: equal to 11 digits of the total, and where that is nearly
        nothing to 1e-12. -#}
    select
        {{ keys | join(', ') }},
        max(case when {{ dimension }} = '{{ total }}' then {{ value }} end) as total,
        sum(case when {{ dimension }} <> '{{ total }}' then {{ value }} end) as sum_of_parts
    from {{ model }}
    where {{ dimension }} in ('{{ ([total] + parts) | join("', '") }}')
    group by {{ keys | join(', ') }}
    having
        count(case when {{ dimension }} <> '{{ total }}' then {{ value }} end) = {{ parts | length }}
        and abs(
            max(case when {{ dimension }} = '{{ total }}' then {{ value }} end)
            - sum(case when {{ dimension }} <> '{{ total }}' then {{ value }} end)
        ) > 1e-11 * max(case when {{ dimension }} = '{{ total }}' then {{ value }} end) + 1e-12
{% endtest %}

{% test adds_up_to_one(model, share, keys) %}
    {#- The shares of one whole add up to 1, exactly in decimals. -#}
    select {{ keys | join(', ') }}, sum({{ share }}) as total
    from {{ model }}
    group by {{ keys | join(', ') }}
    having sum({{ share }}) <> 1 or sum({{ share }}) is null
{% endtest %}
