-- One population per region, geography, date, source, basis and group, whatever measure reported it: a number before a gap, a
-- reported one before a summed one, then the lower rank.
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
                case when derivation = 'reported' then 0 else 1 end,
                extract_rank,
                measure,
                period_start
        ) as place
    from {{ ref('int_observation__roll_up') }}
    where is_population and group_code = 'all' and item = 'all'
) as placed
where place = 1
