"""How a number of each kind is computed from its inputs: one SQL statement a kind, over the relation `ready`.

`ready` has a row for each input of a number that can be computed now: figure_kind, figure_id, role, input_kind, weight,
value, and the input's own `input_exact`, `input_number`, `input_points`, `input_gap`, `input_share`. A statement
gives rows of `number`: kind, id, exact (decimals), number (double), numerator, denominator, points, gap, share.
What inputs a number has is not decided here (dbt_project/models/terms); the kinds are explained in docs/tracing.md.
"""

from __future__ import annotations

SUMS = ("value", "all_levels", "account", "money", "functional", "population")
# Whole units that a double is rounded to before doubles are summed: dbt_project/macros/arithmetic.sql, stable_units.
_UNITS = "73786976294838206464e0"


def _stable_sum(expression: str) -> str:
    return f"(cast(sum(cast(({expression}) * {_UNITS} as decimal(38, 0))) as double) / {_UNITS})"


def _over(numerator: str, denominator: str) -> str:
    return (
        f"case when ({denominator}) is null or ({denominator}) = 0 then null "
        f"else cast({numerator} as double) / cast({denominator} as double) end"
    )


# A part of a sum: as it was rounded with others, as it is, or times a coefficient. What weighs nothing adds nothing,
# and makes no zero of a sum that has no other part.
_PART = (
    "coalesce(value, case when weight = 1 then input_exact "
    "when weight <> 0 then cast(cast(weight as decimal(13, 6)) * input_exact as decimal(28, 9)) end)"
)


def _sum_of(role: str) -> str:
    return f"cast(sum(case when role like '{role}%' then {_PART} end) as decimal(28, 9))"


SUM = f"""
    select figure_kind as kind, figure_id as id, cast(sum({_PART}) as decimal(28, 9)) as exact
    from ready where figure_kind in {SUMS} group by all
"""

_SPENT = "case when price is null then spent else cast(cast(spent as double) / price as decimal(28, 9)) end"
MONEY_FIGURE = f"""
    select 'figure' as kind, figure_id as id, {_SPENT} as numerator, people as denominator,
        case when subject_kind = 'budget_share' then 100e0 else 1e0 end * ({_over(_SPENT, "people")}) as number
    from (
        select figure_id, subject_kind, {_sum_of("numerator")} as spent, {_sum_of("denominator")} as people,
            max(case when role = 'prices' then weight end) as price
        from ready join subject on subject_code = split_part(figure_id, '|', 1)
        where figure_kind = 'figure' and subject_kind in ('spending', 'per_user', 'budget_share') group by all
    )
"""

RATE = f"""
    select 'figure' as kind, figure_id as id, numerator, denominator,
        {_over("cast(numerator as double) * multiplier", "denominator")} as number
    from (
        select figure_id, multiplier, {_sum_of("numerator")} as numerator, {_sum_of("denominator")} as denominator
        from ready join subject on subject_code = split_part(figure_id, '|', 1)
        where figure_kind = 'figure' and subject_kind = 'indicator' group by all
        having not bool_or(role like '%;%')
    )
"""

# A rate over nobody, or of an age that is missing, does not exist; one of fewer than ten events is not shown.
STANDARDISED_RATE = f"""
    select 'figure' as kind, figure_id as id, cast(sum(x) as decimal(28, 9)) as numerator,
        cast(sum(n) as decimal(28, 9)) as denominator,
        case when count(x) = count(*) and count(n) = count(*) and min(n) > 0 and sum(x) >= 10
            then {_stable_sum(f"share * ({_over('x', 'n')})")} * max(multiplier) end as number
    from (
        select figure_id, multiplier, split_part(role, ';', 2) as age, {_sum_of("numerator")} as x,
            {_sum_of("denominator")} as n, max(case when role like 'share%' then weight end) as share
        from ready join subject on subject_code = split_part(figure_id, '|', 1)
        where figure_kind = 'figure' and subject_kind = 'indicator' and role like '%;%' group by all
    ) group by figure_id
"""

_BETWEEN = """case direction
        when 'higher' then (x - low) / (high - low)
        when 'lower' then (high - x) / (high - low)
        else 1e0 - abs(x - target) / greatest(target - low, high - target) end"""
_ATTAINED = """case
        when direction = 'lower' and x <= target then 1e0
        when direction = 'higher' then x / target
        when direction = 'lower' and target > 0 then target / x
        when direction = 'lower' then 1e0 - x / baseline
        when x < target then (x - low) / (target - low)
        when x > target then (high - x) / (high - target)
        else 1e0 end"""
_GOAL = ", ".join(
    f"max(case when role = '{role}' then weight end) as {role}" for role in ("target", "low", "high", "baseline")
)
SCORE = f"""
    select 'score' as kind, figure_id as id,
        greatest(0e0, least(1e0, case when figure_id like 'goalposts|%' then {_BETWEEN} else {_ATTAINED} end)) as number
    from (
        select figure_id, direction, max(case when role = 'value' then input_number end) as x,
            {_GOAL}
        from ready join subject on subject_code = split_part(figure_id, '|', 6)
        where figure_kind = 'score' group by all
    )
"""

# Points are cut after twelve decimals (macros/scores.sql, gap_contribution).
CONTRIBUTION = f"""
    select 'contribution' as kind, figure_id as id,
        cast(cast(floor(1e14 * (gap / people)) as decimal(18, 0)) * cast(0.000000000001 as decimal(18, 12))
            as decimal(18, 12)) as points,
        gap / people as gap, all_weight / people as share, 1e0 - gap / all_weight as number
    from (
        select figure_id, coalesce(max(case when role = 'people' then weight end), 1e0) as people,
            {_stable_sum("case when role = 'score' then weight end")} as all_weight,
            {_stable_sum("case when role = 'score' then weight * (1e0 - input_number) end")} as gap
        from ready where figure_kind = 'contribution' group by figure_id
    )
"""

LEAF_SCORE = f"""
    select 'leaf_score' as kind, figure_id as id,
        {_stable_sum("cast(weight as decimal(18, 9)) * input_number")}
            / cast(sum(cast(weight as decimal(18, 9))) as double) as number
    from ready where figure_kind = 'leaf_score' group by figure_id
"""

_GEOMETRIC = f"""case when min(input_number) > 0 then exp(
        {_stable_sum("case when input_number > 0 then input_share * ln(input_number) end")}
            / {_stable_sum("input_share")}) end"""
LEVEL = f"""
    select 'level' as kind, figure_id as id,
        case when figure_id like '%|geometric_mean' then {_GEOMETRIC} else 1e0 - sum(input_gap) end as number
    from ready where figure_kind = 'level' group by figure_id
"""

INDEX = """
    select 'figure' as kind, figure_id as id,
        cast(cast(100e0 * (max(case when role = 'level' then input_number end)
            / max(case when role = 'base' then input_number end)) as decimal(18, 10)) as double) as number
    from ready join subject on subject_code = split_part(figure_id, '|', 1)
    where figure_kind = 'figure' and subject_kind = 'index' group by figure_id
"""

DEGREE = f"""
    select 'figure' as kind, figure_id as id,
        case when bool_or(role = 'given') then max(weight)
        else cast(case method
            when 'mean' then cast(100 as decimal(18, 12)) - sum(input_points)
            else cast(100e0 * ({_GEOMETRIC}) as decimal(18, 12)) end as double) end as number
    from ready join subject on subject_code = split_part(figure_id, '|', 1)
        join variant on variant = split_part(figure_id, '|', 5)
    where figure_kind = 'figure' and subject_kind = 'degree' group by figure_id, method
    having not bool_or(input_kind = 'leaf_score')
"""

# Methods that look at the lowest regions one by one: how many people reach the threshold, the mean less its variation,
# the fifth of the people where the score is lowest (docs/methods/scores.md).
DEGREE_OF_LEAVES = f"""
    with leaf as (
        select figure_id, method, input_number as score, weight as people,
            sum(weight) over (partition by figure_id) as everybody,
            sum(weight) over (partition by figure_id order by input_number, input_id) - weight as before
        from ready join subject on subject_code = split_part(figure_id, '|', 1)
            join variant on variant = split_part(figure_id, '|', 5)
        where figure_kind = 'figure' and subject_kind = 'degree' and input_kind = 'leaf_score'
            and input_number is not null
    ),
    means as (
        select figure_id, {_stable_sum("people * score")} / max(everybody) as mean from leaf group by figure_id
    )
    select 'figure' as kind, figure_id as id, cast(cast(100e0 * case max(method)
        when 'residents_at_threshold'
            then coalesce(sum(people) filter (
                where cast(100e0 * score as decimal(18, 12)) >= cast(threshold as decimal(18, 6))
            ), 0) / max(everybody)
        when 'mean_less_dispersion'
            then max(mean) * (1e0 - sqrt(
                {_stable_sum("people * (score - mean) * (score - mean)")} / max(everybody)
            ) / max(mean))
        else {_stable_sum("score * greatest(0e0, least(people, 0.2e0 * everybody - before))")}
            / (0.2e0 * max(everybody))
        end as decimal(18, 12)) as double) as number
    from leaf join means using (figure_id) left join (
        select figure_id, max(weight) as threshold from ready where role = 'threshold' group by figure_id
    ) using (figure_id) group by figure_id
"""

# What each statement computes: the kinds of numbers, and how.
FORMULAS: tuple[tuple[tuple[str, ...], str], ...] = (
    (SUMS, SUM),
    *((("figure",), formula) for formula in (MONEY_FIGURE, RATE, STANDARDISED_RATE, INDEX, DEGREE, DEGREE_OF_LEAVES)),
    (("score",), SCORE),
    (("contribution",), CONTRIBUTION),
    (("leaf_score",), LEAF_SCORE),
    (("level",), LEVEL),
)
