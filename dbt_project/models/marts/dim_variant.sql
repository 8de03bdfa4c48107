-- The declared variants with all their choices, whatever subjects they are computed for.
select distinct
    variant,
    name_zh,
    name_en,
    {% for choice in choices() %}
    {{ choice }},
    {% endfor %}
    is_main
from {{ ref('figure_variant') }}
