{% materialization view, adapter='duckdb', supported_languages=['sql'] %}
    {#- Creates the view in its place; see materialize_table. -#}
    {%- set target_relation = this.incorporate(type='view') -%}

    {{ run_hooks(pre_hooks) }}

    {% call statement('main') -%}
        {{ create_view_as(target_relation, compiled_code) }}
    {%- endcall %}

    {{ run_hooks(post_hooks) }}

    {{ return({'relations': [target_relation]}) }}
{% endmaterialization %}
