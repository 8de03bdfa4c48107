-- Every measure of inequality of each set of places, in one row per set; mart_inequality says which of them are defined
-- and wanted. Places without a value are counted, never filled. Columns named like a measure are on the scale of the
-- estimates and have 12 significant digits; the suffix _population or _none is the weighting.
{% set scheme = {'population': {'p': 'p', 'm': 'weighted_u', 'z': 'z', 'r': 'own_rank'},
                 'none': {'p': 'q', 'm': 'plain_u', 'z': 'plain_z', 'r': 'own_rank_none'}} %}

-- Sets and parts are summed up and joined again: windows over both would take ten times as long.
with estimates as (
    select
        set_number, place_code, part_code, part_position, estimate, weight, order_value,
        measures_asked <> '' as is_asked,
        coalesce(part_code, '') as part_key
    from {{ ref('int_inequality__list_places') }}
    where estimate is not null
),

sizes as (
    select
        set_number,
        count(*) as places,
        count(weight) as weighted_places,
        sum(weight) as total_weight,
        max(abs(estimate)) as scale,
        min(estimate) as lowest,
        max(estimate) as highest
    from estimates
    group by set_number
),

shares as (
    select
        estimates.*,
        sizes.places, sizes.scale, sizes.lowest, sizes.highest,
        -- without the population of every place there is no share of any
        case
            when sizes.weighted_places = sizes.places then {{ divide('estimates.weight', 'sizes.total_weight') }}
        end as p,
        {{ divide('1', 'sizes.places') }} as q,
        case when sizes.scale = 0 then 0e0 else {{ divide('estimates.estimate', 'sizes.scale') }} end as u
    from estimates
    inner join sizes
        on sizes.set_number = estimates.set_number
),

set_sums as (
    select
        set_number,
        {{ stable_sum('p * u') }} as weighted_sum,
        {{ stable_sum('q * u') }} as plain_sum
    from shares
    group by set_number
),

part_sums as (
    select
        set_number,
        part_key,
        min(estimate) as lowest,
        max(estimate) as highest,
        {{ stable_sum('p * u') }} as weighted_sum,
        {{ stable_sum('p') }} as share
    from shares
    group by set_number, part_key
),

-- the mean of equal estimates is that estimate to the last digit, so that equality has no inequality
means as (
    select
        shares.*,
        case when shares.lowest = shares.highest and shares.p is not null then shares.u else set_sums.weighted_sum end
            as weighted_u,
        case when shares.lowest = shares.highest then shares.u else set_sums.plain_sum end as plain_u,
        case
            when part_sums.lowest = part_sums.highest and shares.p is not null then shares.u
            else {{ divide('part_sums.weighted_sum', 'part_sums.share') }}
        end as part_u
    from shares
    inner join set_sums
        on set_sums.set_number = shares.set_number
    inner join part_sums
        on part_sums.set_number = shares.set_number
        and part_sums.part_key = shares.part_key
),

relative as (
    select
        *,
        case when weighted_u > 0 and lowest >= 0 then {{ divide('u', 'weighted_u') }} end as z,
        case when plain_u > 0 and lowest >= 0 then {{ divide('u', 'plain_u') }} end as plain_z,
        case when weighted_u > 0 and lowest >= 0 then {{ divide('part_u', 'weighted_u') }} end as part_z
    from means
),

-- ranks are sorted only where a measure that needs them is asked for
ranks as (
    select
        set_number,
        place_code,
        {{ mid_rank('p', 'set_number', 'u') }} as own_rank,
        {{ mid_rank('q', 'set_number', 'u') }} as own_rank_none,
        {{ mid_rank('p', 'set_number', 'order_value') }} as order_rank,
        rank() over (partition by set_number order by order_value desc) as order_place
    from relative
    where is_asked
),

computed as (
    select
        set_number,
        max(places) as places,
        count(distinct part_code) as parts,
        max(scale) as scale,
        min(estimate) as lowest,
        max(estimate) as highest,
        max(u) as highest_u,
        min(u) as lowest_u,
        max(weighted_u) as weighted_mean,
        max(plain_u) as plain_mean,
        max(case when part_position = 1 then part_u end) as first_mean,
        max(case when part_position = 2 then part_u end) as second_mean,
        {% for weighting, columns in scheme.items() %}
        {{ coefficient_of_variation(columns.p, 'u', columns.m) }} as cv_{{ weighting }},
        {% endfor %}
        {{ theil('p', 'z') }} as theil_total,
        {{ theil_within('p', 'z', 'part_z') }} as theil_within,
        {{ theil_between('p', 'z', 'part_z') }} as theil_between
    from relative
    group by set_number
),

-- what is published only where it is asked for
asked as (
    select
        relative.set_number,
        count(relative.order_value) as ordered_places,
        count(distinct relative.order_value) as order_groups,
        count(case when ranks.order_place = 1 then 1 end) as reference_places,
        {% for weighting, columns in scheme.items() %}
        {{ between_variance(columns.p, 'u', columns.m) }} as variance_{{ weighting }},
        {{ divide(concentration(columns.p, 'u', columns.m, columns.r), 'max(' ~ columns.m ~ ')') }} as gini_{{ weighting }},
        {{ mean_difference(columns.p, 'u', 'weighted_u') }} as mean_difference_from_mean_{{ weighting }},
        {% endfor %}
        {{ mean_log_deviation('p', 'z') }} as mld_total,
        {{ mean_log_deviation_within('p', 'z', 'part_z') }} as mld_within,
        {{ mean_log_deviation_between('p', 'z', 'part_z') }} as mld_between,
        {{ atkinson('p', 'z', 0.5) }} as atkinson_05,
        {{ atkinson('p', 'z', 1) }} as atkinson_1,
        {{ atkinson('p', 'z', 2) }} as atkinson_2,
        {{ slope_of_rank('p', 'u', 'weighted_u', 'order_rank') }} as slope,
        {{ concentration('p', 'u', 'weighted_u', 'order_rank') }} as aci,
        max(case when ranks.order_place = 1 then relative.u end) as reference
    from relative
    inner join ranks
        on ranks.set_number = relative.set_number
        and ranks.place_code = relative.place_code
    where relative.is_asked
    group by relative.set_number
),

subjects as (
    select
        subject_number,
        max(subject_kind) as subject_kind,
        max(subject_code) as subject_code,
        max(reference_geography) as reference_geography,
        max(year) as year,
        max(year_start) as year_start,
        max(variant) as variant,
        max(unit) as unit,
        max(direction) as direction
    from {{ ref('int_subject__list_figures') }}
    group by subject_number
),

summed as (
    select
        set_number,
        max(subject_number) as subject_number,
        max(scope_code) as scope_code,
        max(as_of_date) as as_of_date,
        max(dimension) as dimension,
        max(residence) as residence,
        max(measures_asked) as measures_asked,
        max(case when part_position is not null then 1 else 0 end) = 1 as is_paired,
        count(part_code) = count(*) as is_partitioned,
        count(*) - count(estimate) as places_missing,
        {{ status_of_rows('obs_status') }} as letters,
        {{ provenance_of_rows('provenance') }} as provenance
    from {{ ref('int_inequality__list_places') }}
    group by set_number
),

sets as (
    select
        summed.set_number, summed.scope_code as region_code, subjects.reference_geography, summed.as_of_date, subjects.year,
        subjects.year_start,
        subjects.subject_kind, subjects.subject_code, summed.dimension, subjects.variant, summed.residence, subjects.unit, subjects.direction,
        summed.measures_asked, summed.is_paired, summed.is_partitioned, summed.places_missing, summed.letters,
        summed.provenance
    from summed
    inner join subjects
        on subjects.subject_number = summed.subject_number
),

bests as (
    select
        computed.set_number,
        case sets.direction when 'higher' then computed.highest_u when 'lower' then computed.lowest_u end as best,
        asked.reference
    from computed
    inner join sets
        on sets.set_number = computed.set_number
    left join asked
        on asked.set_number = computed.set_number
),

-- the best place and the reference are known only when all places have been seen
from_extremes as (
    select
        relative.set_number,
        {% for weighting, columns in scheme.items() %}
        {{ mean_difference('relative.' ~ columns.p, 'relative.u', 'bests.best') }}
            as mean_difference_from_best_{{ weighting }},
        {{ mean_difference('relative.' ~ columns.p, 'relative.u', 'bests.reference') }}
            as mean_difference_from_reference_{{ weighting }}{{ ',' if not loop.last }}
        {% endfor %}
    from relative
    inner join bests
        on bests.set_number = relative.set_number
    where relative.is_asked
    group by relative.set_number
)

select
    sets.*,
    coalesce(computed.places, 0) as places,
    {% for column in ['parts', 'scale', 'lowest', 'highest'] %}
    computed.{{ column }},
    {% endfor %}
    {% for column in ['ordered_places', 'order_groups', 'reference_places'] %}
    asked.{{ column }},
    {% endfor %}
    {{ significant('bests.best') }} as best,
    {% for column in ['weighted_mean', 'plain_mean', 'first_mean', 'second_mean', 'cv_population', 'cv_none', 'theil_total',
                      'theil_within', 'theil_between'] %}
    {{ significant('computed.' ~ column) }} as {{ column }},
    {% endfor %}
    {% for column in ['variance_population', 'variance_none', 'gini_population', 'gini_none',
                      'mean_difference_from_mean_population', 'mean_difference_from_mean_none', 'mld_total', 'mld_within',
                      'mld_between', 'atkinson_05', 'atkinson_1', 'atkinson_2', 'slope', 'aci'] %}
    {{ significant('asked.' ~ column) }} as {{ column }},
    {% endfor %}
    {% for column in ['mean_difference_from_best_population', 'mean_difference_from_best_none',
                      'mean_difference_from_reference_population', 'mean_difference_from_reference_none'] %}
    {{ significant('from_extremes.' ~ column) }} as {{ column }}{{ ',' if not loop.last }}
    {% endfor %}
from sets
left join computed
    on computed.set_number = sets.set_number
left join asked
    on asked.set_number = sets.set_number
left join bests
    on bests.set_number = sets.set_number
left join from_extremes
    on from_extremes.set_number = sets.set_number
