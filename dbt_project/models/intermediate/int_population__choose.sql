-- One population per region, geography, date, source, basis and group, whatever measure reported it: a number before a gap, a
-- reported one before one that was made of others, an estimate last, then the lower rank.
with populations as (
    select * from {{ ref('int_observation__roll_up') }} where is_population and is_within_year
    union all
    select *
    from {{ ref('int_population__derive') }}
    -- no part of an age group that was cut: it counts no people
    where not (derivation = 'estimated' and age_group <> 'all')
)

select *
from (
    select
        *,
        row_number() over (
            partition by
                region_code, reference_geography, period_end, population_source, population_basis, residence, sex,
                age_group
            order by
                case when value is null then 1 else 0 end,
                case derivation when 'reported' then 0 when 'estimated' then 2 else 1 end,
                extract_rank,
                measure,
                period_start
        ) as place
    from populations
    where group_code = 'all' and item = 'all'
) as placed
where place = 1
