-- The variants that each kind of subject is computed for, with all their choices: what a line of variants.csv leaves open
-- is as in `main`. A variant is computed for a kind when each choice that it makes is one of that kind, and its line does
-- not name other kinds. `changes` counts its choices.
with declared as (
    select
        variant.*,
        {% for choice in choices() %}
        case when variant.{{ choice }} <> main.{{ choice }} or main.{{ choice }} is null then variant.{{ choice }} end
            as new_{{ choice }},
        coalesce(variant.{{ choice }}, main.{{ choice }}) as chosen_{{ choice }},
        {% endfor %}
        variant.variant = 'main' as is_main
    from {{ source('source', 'variant') }} as variant
    cross join (select * from {{ source('source', 'variant') }} where variant = 'main') as main
),

counted as (
    {% for kind, known in var('choices_of_subjects').items() %}
    select
        '{{ kind }}' as subject_kind,
        declared.*,
        {% for choice in known %}case when new_{{ choice }} is null then 0 else 1 end{{ ' + ' if not loop.last }}{% endfor %}
            as changes,
        {% for choice in choices() if choice not in known %}case when new_{{ choice }} is null then 0 else 1 end{{ ' + ' if not loop.last }}{% endfor %}
            as foreign_changes
    from declared
    {{ 'union all' if not loop.last }}
    {% endfor %}
)

select
    subject_kind,
    variant,
    name_zh,
    name_en,
    is_main,
    case when is_main then 0 else changes end as changes,
    {% for choice in choices() %}
    chosen_{{ choice }} as {{ choice }},
    new_{{ choice }} is not null and not is_main as is_new_{{ choice }}{{ ',' if not loop.last }}
    {% endfor %}
from counted
where
    is_main
    or (
        changes > 0
        and foreign_changes = 0
        and (subjects is null or {{ dbt.concat(["';'", 'subjects', "';'"]) }} like {{ dbt.concat(["'%;'", 'subject_kind', "';%'"]) }})
    )
