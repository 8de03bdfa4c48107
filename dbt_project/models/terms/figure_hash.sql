-- The hash of everything that a figure was computed from: a tree whose leaves are the cells of the files (by the SHA-256 of the
-- file, the place in it and the number), the parameters and the formulas. Equal inputs have equal hashes, in every build and on
-- any machine.
-- A number of a series is hashed by its cells at once, however many sums lie between.
{% set of_itself = "max(case when term.input_kind in ('%s') then 1 else 0 end) = %d" %}
with recursive cells as (
    select figure_id, input_kind, input_id, role, weight, value
    from {{ ref('figure_term') }}
    where figure_kind = 'value'

    union all

    select cells.figure_id, term.input_kind, term.input_id, term.role, cells.weight * term.weight, term.value
    from cells
    inner join {{ ref('figure_term') }} as term
        on cells.input_kind = 'value'
        and term.figure_kind = 'value'
        and term.figure_id = cells.input_id
),

observations as (
    select
        observation.observation_id,
        {{ sha256_of(key_text(['receipt.sha256', 'observation.source_sheet', 'observation.source_row',
                               'observation.source_column', 'observation.value_reported', 'observation.value'])) }} as input_hash
    from {{ ref('stg_observation') }} as observation
    left join {{ source('source', 'receipt') }} as receipt
        on receipt.receipt_id = observation.receipt_id
),

{% set leaf = key_text(['cells.role', 'cells.weight', 'cells.value', 'coalesce(observations.input_hash, cells.input_id)']) %}
hashes_of_value as (
    select
        'value' as figure_kind,
        cells.figure_id,
        {{ sha256_of(ordered_text(leaf)) }} as input_hash
    from cells
    left join observations
        on cells.input_kind = 'observation'
        and observations.observation_id = cells.input_id
    where cells.input_kind <> 'value'
    group by cells.figure_id
),

all_levels as ({{ hash_of_terms('all_levels', ['hashes_of_value']) }}),
populations as ({{ hash_of_terms('population', ['hashes_of_value']) }}),
accounts as ({{ hash_of_terms('account', ['hashes_of_value'], of_itself % ('account', 0)) }}),
remainders as ({{ hash_of_terms('account', ['accounts'], of_itself % ('account', 1)) }}),
money_of_levels as ({{ hash_of_terms('money', ['accounts', 'remainders', 'hashes_of_value', 'all_levels'], of_itself % ("money', 'functional", 0)) }}),
functional as ({{ hash_of_terms('functional', ['money_of_levels', 'accounts', 'remainders']) }}),
money as ({{ hash_of_terms('money', ['money_of_levels', 'functional', 'accounts', 'remainders', 'hashes_of_value', 'all_levels'],
                           of_itself % ("money', 'functional", 1)) }}),
simple_figures as ({{ hash_of_terms('figure', ['money', 'money_of_levels', 'populations', 'hashes_of_value', 'all_levels'],
                                    of_itself % ("contribution', 'level', 'leaf_score", 0)) }}),
scores as ({{ hash_of_terms('score', ['simple_figures']) }}),
leaf_domains as ({{ hash_of_terms('leaf_score', ['scores'], of_itself % ('leaf_score', 0)) }}),
leaf_scores as ({{ hash_of_terms('leaf_score', ['leaf_domains'], of_itself % ('leaf_score', 1)) }}),
contributions as ({{ hash_of_terms('contribution', ['scores']) }}),
levels as ({{ hash_of_terms('level', ['contributions']) }}),
composites as ({{ hash_of_terms('figure', ['contributions', 'levels', 'leaf_domains', 'leaf_scores'],
                                of_itself % ("contribution', 'level', 'leaf_score", 1)) }})

select figure_id, input_hash from simple_figures
union all
select figure_id, input_hash from composites
