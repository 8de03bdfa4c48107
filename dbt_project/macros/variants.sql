{#- Which choices a variant may make for which kind of subject. A choice that a kind does not know cannot vary it. -#}

{% macro choices_of_subjects() -%}
    {{ return({
        'spending': ['boundaries', 'population_basis', 'population_source', 'prices', 'fund', 'account_stage',
                     'government_level'],
        'indicator': ['boundaries', 'population_basis', 'population_source'],
        'degree': ['boundaries', 'method', 'weight_set', 'target_edition'],
        'contribution': ['boundaries', 'weight_set', 'target_edition'],
        'index': ['boundaries', 'method', 'goalpost_set'],
        'inequality': ['boundaries', 'population_basis'],
        'gap': ['boundaries', 'population_basis', 'prices'],
        'progress': ['boundaries', 'target_edition'],
        'fiscal': ['boundaries', 'fund', 'account_stage'],
    }) }}
{%- endmacro %}

{% macro choices() -%}
    {{ return(['boundaries', 'population_basis', 'population_source', 'prices', 'fund', 'account_stage',
               'government_level', 'method', 'weight_set', 'target_edition', 'goalpost_set']) }}
{%- endmacro %}

{% macro variants_of(kind) -%}
    {#- A query in brackets: the variants that a kind of subject is computed for, with all their choices. -#}
    (select * from {{ ref('figure_variant') }} where subject_kind = '{{ kind }}')
{%- endmacro %}
