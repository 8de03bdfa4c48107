{% materialization table, adapter='duckdb', supported_languages=['sql'] %}
    {#- Creates the table in its place. The adapter's own way builds beside and renames, so that readers of a live
        database never miss a table; nobody reads a build that is being made, and half the time of a small model goes
        into it. -#}
    {%- set target_relation = this.incorporate(type='table') -%}

    {{ run_hooks(pre_hooks) }}

    {% call statement('main') -%}
        {{ create_table_as(False, target_relation, compiled_code) }}
    {%- endcall %}

    {{ run_hooks(post_hooks) }}

    {{ return({'relations': [target_relation]}) }}
{% endmaterialization %}
