{% materialization parquet, adapter='duckdb', supported_languages=['sql'] %}
    {#- Writes the rows beside the build's database, as a Parquet file of the model's name, and a view that reads them while the
        build is made. For what is long, sorted and read by its ids: it takes a sixth of the room of a table, and a release
        takes the file as it is. (The adapter's `external` lays a table in the database first.) -#}
    {%- set target_relation = this.incorporate(type='view') -%}
    {%- set file = env_var('JUNHENG_BUILD_FOLDER') ~ '/terms/' ~ this.identifier ~ '.parquet' -%}

    {{ run_hooks(pre_hooks) }}

    {% call statement('main') -%}
        copy ({{ compiled_code }}) to '{{ file | replace("'", "''") }}' (format parquet, compression zstd);
        {{ create_view_as(target_relation, "select * from read_parquet('" ~ (file | replace("'", "''")) ~ "')") }}
    {%- endcall %}

    {{ run_hooks(post_hooks) }}

    {{ return({'relations': [target_relation]}) }}
{% endmaterialization %}
