-- What each published number is computed from, down to the cells of the files: one row for a number and each of its inputs. A
-- number is named by its kind and its id (macros/terms.sql); so is an input, which may be an observation or a parameter.
-- `weight` is what the input is multiplied by, or a parameter's number; `value` is there where a number was rounded together
-- with others and no weight can say it. How each kind is computed of its inputs: docs/tracing.md.
{% set models = ['term_value', 'term_all_levels', 'term_money', 'term_population', 'term_spending', 'term_indicator', 'term_score',
                 'term_degree', 'term_contributed'] %}
{% for model in models %}
select
    figure_kind, figure_id, role, input_kind, input_id, weight,
    {{ 'value' if model == 'term_value' else 'cast(null as decimal(28, 9))' }} as value
from {{ ref(model) }}
{{ 'union all' if not loop.last }}
{% endfor %}
