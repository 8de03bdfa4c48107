{#- Hashes of numbers: of what a number is computed from, so that equal inputs have equal hashes on any machine. -#}

{% macro sha256_of(text) -%}
    {{ return(adapter.dispatch('sha256_of', 'junheng')(text)) }}
{%- endmacro %}

{% macro default__sha256_of(text) -%}
    sha2({{ text }}, 256)
{%- endmacro %}

{% macro duckdb__sha256_of(text) -%}
    sha256({{ text }})
{%- endmacro %}

{% macro ordered_text(expression) -%}
    {#- Aggregate: the texts of a group of rows in order, `;` between them. (A list is sorted sooner than an aggregate is.) -#}
    {{ return(adapter.dispatch('ordered_text', 'junheng')(expression)) }}
{%- endmacro %}

{% macro default__ordered_text(expression) -%}
    array_join(array_sort(collect_list({{ expression }})), ';')
{%- endmacro %}

{% macro duckdb__ordered_text(expression) -%}
    array_to_string(list_sort(list({{ expression }})), ';')
{%- endmacro %}

{% macro hash_of_terms(kind, inputs, condition='true') -%}
    {#- Hash of each number of a kind: of the formula that it is computed by, and of its terms in order, each with its role, weight,
        value and the hash of its input. `inputs` are relations (figure_kind, figure_id, input_hash); what is in none of them, a
        parameter, is named by its id. The formula of a kind depends on what is named here alone (pipelines/trace/formulas.py). -#}
    {%- set indicator = "split_part(figure_id, '|', " ~ (6 if kind == 'score' else 1) ~ ')' -%}
    {%- set formulas = {
        'figure': ['indicator.multiplier', 'variant.method'],
        'score': ["split_part(figure_id, '|', 1)", 'indicator.direction'],
        'level': ["split_part(figure_id, '|', 7)"],
    } -%}
    {%- set formula = formulas.get(kind, []) -%}
    select
        summed_up.figure_kind,
        summed_up.figure_id,
        {{ junheng.sha256_of(junheng.key_text(["'" ~ kind ~ "'"] + formula + ['summed_up.terms'])) }} as input_hash
    from (
        select
            term.figure_kind,
            term.figure_id,
            {{ junheng.ordered_text(
                junheng.key_text(['term.role', 'term.weight', 'term.value', 'coalesce(input.input_hash, term.input_id)'])
            ) }} as terms
        from {{ ref('figure_term') }} as term
        left join (
            {% for relation in inputs %}
            select figure_kind, figure_id, input_hash from {{ relation }}
            {{ 'union all' if not loop.last }}
            {% endfor %}
        ) as input
            on input.figure_kind = term.input_kind
            and input.figure_id = term.input_id
        where term.figure_kind = '{{ kind }}'
        group by term.figure_kind, term.figure_id
        having {{ condition }}
    ) as summed_up
    {% if kind in ('figure', 'score') %}
    left join {{ source('source', 'indicator') }} as indicator
        on indicator.indicator_code = {{ indicator }}
    {% endif %}
    {% if kind == 'figure' %}
    left join {{ junheng.variants_of('degree') }} as variant
        on variant.variant = split_part(figure_id, '|', 5)
        and split_part(figure_id, '|', 1) like 'degree.%'
    {% endif %}
{%- endmacro %}
