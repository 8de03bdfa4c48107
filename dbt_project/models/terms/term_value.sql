-- What each number of a series is made of: its cell where an extract reports it; else the parts of its total, the regions
-- below it, the regions of another list, the parts of its year, the populations it was derived of. What no weight can say
-- (whole people shared out by the largest remainder, growth between two counts) has its number as `value`; what it was
-- made of then weighs nothing.
with series as (
    select * from {{ ref('int_observation__number_series') }}
),

totals as (
    select region_code, series_number, value, derivation, observation_id
    from {{ ref('int_observation__add_totals') }}
),

used as (
    select region_code, series_number, derivation, value from {{ ref('int_observation__sum_regions') }}
),

derived as (
    select region_code, series_number, value, derivation from {{ ref('int_population__derive') }}
),

-- both sexes where both are there, else town and country with what is set apart
of_sexes as (
    select total.series_number, total.region_code, part.series_number as part_series
    from totals as total
    inner join series
        on series.both_sexes_number = total.series_number
    inner join totals as part
        on part.series_number = series.series_number
        and part.region_code = total.region_code
        and part.derivation = 'reported'
        and part.value is not null
    where total.derivation = 'summed'
    qualify count(*) over (partition by total.series_number, total.region_code) = 2
),

of_residences as (
    select total.series_number, total.region_code, part.series_number as part_series
    from totals as total
    inner join series
        on series.all_residences_number = total.series_number
    inner join totals as part
        on part.series_number = series.series_number
        and part.region_code = total.region_code
    left join of_sexes
        on of_sexes.series_number = total.series_number
        and of_sexes.region_code = total.region_code
    where total.derivation = 'summed' and of_sexes.series_number is null
),

-- on the regions of another list: whole regions add up, a share of one is rounded where all its shares are known
rebased as (
    select figure.series_number, figure.region_code, series.reported_series_number, crosswalk.region_code as part_region,
        figure.value, min(crosswalk.weight) over (partition by figure.series_number, figure.region_code) < 1 as is_shared
    from {{ ref('int_observation__rebase') }} as figure
    inner join series
        on series.series_number = figure.series_number
    inner join {{ ref('int_region__crosswalk') }} as crosswalk
        on crosswalk.is_known
        and crosswalk.reference_geography = series.reference_geography
        and crosswalk.as_of_date = series.list_date
        and crosswalk.to_code = figure.region_code
    inner join totals as part
        on part.series_number = series.reported_series_number
        and part.region_code = crosswalk.region_code
),

-- (series, region) made of (part_series, part_region)
parts as (
    {% for whole in ['of_sexes', 'of_residences'] %}
    select series_number, region_code, part_series, region_code as part_region, 1e0 as weight
    from {{ whole }}

    union all

    {% endfor %}
    select series_number, region_code, reported_series_number, part_region, case when is_shared then 0e0 else 1e0 end
    from rebased

    union all

    -- the regions below
    select term.series_number, term.region_code, term.series_number, term.part_code, 1e0
    from {{ ref('term_region_sum') }} as term
    inner join used
        on used.series_number = term.series_number
        and used.region_code = term.region_code
        and used.derivation = 'summed'

    union all

    -- the same land on the list that the number was reported on
    select figure.series_number, figure.region_code, figure.series_number, crosswalk.to_code, 1e0
    from used as figure
    inner join series
        on series.series_number = figure.series_number
        and series.reference_geography = 'reported'
        and series.boundaries <> 'reported'
    inner join {{ ref('int_region__crosswalk') }} as crosswalk
        on crosswalk.is_known
        and crosswalk.reference_geography = series.boundaries
        and crosswalk.as_of_date = series.period_end
        and crosswalk.region_code = figure.region_code
        and crosswalk.to_code <> figure.region_code
        and crosswalk.weight = 1
        and crosswalk.sources = 1

    union all

    -- the parts of a year, and of one of which some are missing
    select years.series_number, years.region_code, part.series_number, years.region_code, case when years.is_complete then 1e0 else 0e0 end
    from {{ ref('int_observation__sum_years') }} as years
    inner join series as part
        on part.whole_year_number = years.series_number
        and part.is_part
    inner join used as figure
        on figure.series_number = part.series_number
        and figure.region_code = years.region_code
    left join used as reported
        on reported.series_number = years.series_number
        and reported.region_code = years.region_code
    left join (
        select longer.series_number, longer.region_code, wide.whole_year_number, wide.period_start, wide.period_end
        from used as longer
        inner join series as wide
            on wide.series_number = longer.series_number
            and wide.is_part
    ) as longer
        on longer.whole_year_number = years.series_number
        and longer.region_code = years.region_code
        and longer.series_number <> part.series_number
        and longer.period_start <= part.period_start
        and longer.period_end >= part.period_end
    where reported.series_number is null and longer.series_number is null

    union all

    -- the middle of a year of the year ends around it; a year end between two counts; ages of the groups that cover them
    select derived.series_number, derived.region_code, source.source_number, derived.region_code, source.weight
    from derived
    inner join (
        {% for end in ['first_number', 'second_number'] %}
        select series_number, {{ end }} as source_number, case when derived = 'mid_year' then 0.5e0 else 0e0 end as weight
        from series
        where {{ end }} is not null

        union all

        {% endfor %}
        select series_number, band_number, case when is_cut then 0e0 else 1e0 end
        from {{ ref('int_population__list_bands') }}
    ) as source
        on source.series_number = derived.series_number

    union all

    -- the population of a financial year is that of one of its days
    select series_number, region_code, dated_number, region_code, 1e0
    from {{ ref('int_population__date_years') }}
),

-- numbers that were rounded together with others
rounded as (
    select distinct series_number, region_code, value, 'shared' as role
    from rebased
    where is_shared

    union all

    select derived.series_number, derived.region_code, derived.value, 'estimated'
    from derived
    inner join series
        on series.series_number = derived.series_number
        and series.derived = 'estimate'

    union all

    select derived.series_number, derived.region_code, derived.value, 'estimated'
    from derived
    where derived.derivation = 'estimated' and exists (
        select 1 from {{ ref('int_population__list_bands') }} as band
        where band.series_number = derived.series_number and band.is_cut
    )

    union all

    select series_number, region_code, scaled_value, 'estimated'
    from {{ ref('int_observation__sum_years') }}
    where scaled_value is not null
)

select
    'value' as figure_kind, {{ value_id('series_number', 'region_code') }} as figure_id,
    'reported' as role,
    'observation' as input_kind,
    observation_id as input_id,
    1e0 as weight,
    cast(null as decimal(28, 9)) as value
from totals
where observation_id is not null

union all

select
    'value' as figure_kind, {{ value_id('series_number', 'region_code') }}, 'part', 'value', {{ value_id('part_series', 'part_region') }}, weight,
    null
from parts
where series_number <> part_series or region_code <> part_region

union all

select 'value' as figure_kind, {{ value_id('series_number', 'region_code') }}, role, 'parameter', role, null, value
from rounded
where value is not null

order by figure_kind, figure_id, role, input_kind, input_id
