{% materialization parquet, adapter='duckdb', supported_languages=['sql'] %}
    {#- Writes the rows beside the build's database, as a Parquet file of the model's name, and a view that reads them. It takes
        a third of the room of a table, and no more time; a release takes such a file as it is. (The adapter's `external` lays
        a table in the database first.) The view names no folder: whoever opens a build says where its files are. -#}
    {%- set target_relation = this.incorporate(type='view') -%}
    {%- set file = this.identifier ~ '.parquet' -%}

    {{ run_hooks(pre_hooks) }}

    {% call statement('main') -%}
        copy ({{ compiled_code }}) to '{{ env_var('JUNHENG_BUILD_FOLDER', '.') | replace("'", "''") }}/{{ file }}' (format parquet, compression zstd);
        create or replace view {{ target_relation }} as select * from read_parquet('{{ file }}');
    {%- endcall %}

    {{ run_hooks(post_hooks) }}

    {{ return({'relations': [target_relation]}) }}
{% endmaterialization %}
