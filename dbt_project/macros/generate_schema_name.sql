{% macro generate_schema_name(custom_schema_name, node) -%}
    {#- A folder's schema is its own name; marts stand in the target's schema. -#}
    {{ (custom_schema_name or target.schema) | trim }}
{%- endmacro %}
