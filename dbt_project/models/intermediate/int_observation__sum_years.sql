-- The year of a flow from its parts (months, quarters, halves), region by region. Of parts that lie in each other the
-- longer one counts; the year is complete when those that count follow each other from its first day to its last without
-- a gap and without overlap, each with a value. `scaled_value` is what its contract allows to be made of an incomplete
-- one: the parts there are, by the months or the days of the year over theirs.
with parts as (
    select
        series.whole_year_number as series_number,
        figure.region_code,
        figure.series_number as part_number,
        series.period_start,
        series.period_end,
        series.year_start,
        series.year_end,
        series.partial_year,
        figure.value,
        figure.obs_status,
        figure.provenance,
        figure.extract_rank
    from {{ ref('int_observation__sum_regions') }} as figure
    inner join {{ ref('int_observation__number_series') }} as series
        on series.series_number = figure.series_number
        and series.is_part
),

counted as (
    select parts.*
    from parts
    left join parts as longer
        on longer.series_number = parts.series_number
        and longer.region_code = parts.region_code
        and longer.part_number <> parts.part_number
        and longer.period_start <= parts.period_start
        and longer.period_end >= parts.period_end
    where longer.part_number is null
),

followed as (
    select
        *,
        cast({{ dbt.dateadd('day', 1, 'period_end') }} as date) as next_day,
        lead(period_start) over (partition by series_number, region_code order by period_start) as next_start,
        {{ dbt.datediff('period_start', 'period_end', 'day') }} + 1 as days,
        (year(period_end) - year(period_start)) * 12 + month(period_end) - month(period_start) + 1 as months
    from counted
),

years as (
    select
        series_number,
        region_code,
        min(period_start) = max(year_start)
            and max(period_end) = max(year_end)
            and count(case when next_start <> next_day then 1 end) = 0
            and count(value) = count(*) as is_complete,
        -- parts that overlap cannot be scaled either
        count(case when next_start < next_day then 1 end) = 0
            and count(value) = count(*)
            and min(partial_year) = max(partial_year)
            and (
                max(partial_year) <> 'by_months'
                or count(case when day(period_start) <> 1 or day(next_day) <> 1 then 1 end) = 0
            ) as can_be_scaled,
        max(partial_year) as partial_year,
        {{ exact_sum('value') }} as value,
        sum(days) as days,
        sum(months) as months,
        {{ dbt.datediff('max(year_start)', 'max(year_end)', 'day') }} + 1 as days_of_year,
        {{ status_of_rows('obs_status') }} as letters,
        {{ provenance_of_rows('provenance') }} as provenance,
        max(extract_rank) as extract_rank
    from followed
    group by series_number, region_code
)

select
    series_number,
    region_code,
    is_complete,
    case when is_complete then value end as value,
    case
        when is_complete or not can_be_scaled then null
        when partial_year = 'by_months' then {{ exact(divide('value * 12', 'months')) }}
        when partial_year = 'by_days' then {{ exact(divide('value * days_of_year', 'days')) }}
    end as scaled_value,
    letters,
    provenance,
    extract_rank
from years
