{#- Choices that variants make, as `choices_of_subjects` in dbt_project.yml lists them by kind of subject. -#}

{% macro choices() -%}
    {#- Every choice that a variant can make, in the order in which they are listed. -#}
    {%- set found = [] -%}
    {%- for known in var('choices_of_subjects').values() -%}
        {%- for choice in known if choice not in found -%}{%- do found.append(choice) -%}{%- endfor -%}
    {%- endfor -%}
    {{ return(found) }}
{%- endmacro %}

{% macro variants_of(kind) -%}
    {#- A query in brackets: the variants that a kind of subject is computed for, with all their choices. -#}
    (select * from {{ ref('figure_variant') }} where subject_kind = '{{ kind }}')
{%- endmacro %}
