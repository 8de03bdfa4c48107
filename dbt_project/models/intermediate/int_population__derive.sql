-- Populations that nobody reports, made of those that are (docs/methods/populations.md): an age group of the groups that
-- cover it, the middle of a year of two year ends, a year end between two counts. None of them stands before a figure
-- that was reported. What is estimated says so; the part of an age group that is cut is not rounded, it is there to
-- divide by and stands in no table of people.
with series as (
    select * from {{ ref('int_observation__number_series') }}
),

figures as (
    select
        figure.region_code, figure.series_number, figure.value, figure.obs_status, figure.provenance,
        figure.derivation, figure.extract_rank, figure.reference_geography, figure.period_end, figure.population_source,
        figure.population_basis, figure.residence, figure.sex, figure.age_group, figure.group_code, figure.item,
        figure.measure
    from {{ ref('int_observation__roll_up') }} as figure
    where figure.is_population and figure.is_within_year
),

-- -- age groups: within a group that is cut, people are taken to be spread evenly over the ages -------------------
ages as (
    select
        figures.region_code,
        bands.series_number,
        case
            when count(figures.value) < count(*) then null
            when max(bands.band_width - bands.ages) = 0 then {{ exact_sum('figures.value') }}
            else {{ exact_sum(exact(divide('figures.value * bands.ages', 'bands.band_width'))) }}
        end as value,
        {{ status_of_rows("case when bands.ages < bands.band_width then " ~ dbt.concat(['figures.obs_status', "'E'"])
                          ~ " else figures.obs_status end") }} as letters,
        {{ provenance_of_rows('figures.provenance') }} as provenance,
        case
            when max(bands.band_width - bands.ages) > 0 then 'estimated'
            else {{ derivation_of_rows("case when figures.derivation = 'reported' then 'summed' else figures.derivation end") }}
        end as derivation,
        max(figures.extract_rank) as extract_rank
    from figures
    inner join {{ ref('int_population__list_bands') }} as bands
        on bands.band_number = figures.series_number
    group by figures.region_code, bands.series_number
    having count(*) = max(bands.bands)
),

-- -- the middle of a year: the mean of the year ends around it, to the half person, of one and the same region -------
steady as (
    select distinct
        series.series_number,
        region.region_code
    from series
    inner join series as earlier
        on earlier.series_number = series.first_number
    inner join {{ source('source', 'region') }} as region
        on region.valid_from <= earlier.period_end
        and (region.valid_to is null or region.valid_to > series.as_of_date)
    left join {{ source('source', 'region_change') }} as change
        on (change.from_code = region.region_code or change.to_code = region.region_code)
        and change.effective_date > earlier.period_end
        and change.effective_date <= series.as_of_date
    where series.derived = 'mid_year' and series.reference_geography = 'reported' and change.from_code is null
),

ends as (
    select region_code, series_number, value, obs_status, provenance, derivation, extract_rank from figures
    union all
    select
        region_code, series_number, value, {{ ranked_status('letters', 'value') }}, provenance, derivation, extract_rank
    from ages
),

halves as (
    select series_number, reference_geography, first_number as end_number from series where derived = 'mid_year'
    union all
    select series_number, reference_geography, second_number from series where derived = 'mid_year'
),

mid_years as (
    select
        ends.region_code,
        halves.series_number,
        case when count(ends.value) = 2 then {{ exact(exact_sum('ends.value') ~ ' * 0.5') }} end as value,
        {{ status_of_rows('ends.obs_status') }} as letters,
        {{ provenance_of_rows('ends.provenance') }} as provenance,
        case
            when max(case when ends.derivation = 'estimated' then 1 else 0 end) = 1 then 'estimated'
            when max(case when ends.derivation = 'rebased' then 1 else 0 end) = 1 then 'rebased'
            else 'averaged'
        end as derivation,
        max(ends.extract_rank) as extract_rank
    from halves
    inner join ends
        on ends.series_number = halves.end_number
    left join steady
        on steady.series_number = halves.series_number
        and steady.region_code = ends.region_code
    where halves.reference_geography <> 'reported' or steady.region_code is not null
    group by ends.region_code, halves.series_number
    having count(*) = 2
),

-- -- year ends between two counts: even growth, scaled to what is reported for the region above -----------------------
wanted as (
    select
        *,
        {{ divide(dbt.datediff('first_date', 'period_end', 'day'), dbt.datediff('first_date', 'second_date', 'day')) }}
            as elapsed
    from (
        select
            series.*,
            first.period_end as first_date,
            second.period_end as second_date
        from series
        inner join series as first
            on first.series_number = series.first_number
        inner join series as second
            on second.series_number = series.second_number
        where series.derived = 'estimate'
    ) as dated
),

reported as (
    select *
    from (
        select
            wanted.series_number,
            figures.region_code,
            figures.value,
            figures.obs_status,
            figures.provenance,
            row_number() over (
                partition by wanted.series_number, figures.region_code
                order by
                    case when figures.derivation = 'reported' then 0 else 1 end, figures.extract_rank, figures.measure
            ) as place
        from wanted
        inner join figures
            on figures.reference_geography = wanted.reference_geography
            and figures.period_end = wanted.period_end
            and figures.population_source = wanted.population_source
            and figures.population_basis = wanted.population_basis
            and figures.residence = wanted.residence
            and figures.sex = wanted.sex
            and figures.age_group = wanted.age_group
            and figures.group_code = wanted.group_code
            and figures.item = wanted.item
        where figures.value is not null
    ) as placed
    where place = 1
),

-- what has no region below it and no report of its own
grown as (
    select
        wanted.series_number,
        wanted.reference_geography,
        wanted.as_of_date,
        earlier.region_code,
        cast(case
            when earlier.value > 0 and later.value > 0
                then exp(
                    (1e0 - wanted.elapsed) * ln(cast(earlier.value as double))
                    + wanted.elapsed * ln(cast(later.value as double))
                )
            else (1e0 - wanted.elapsed) * cast(earlier.value as double) + wanted.elapsed * cast(later.value as double)
        end as decimal(28, 6)) as value,
        {{ joined_statuses(['earlier.obs_status', 'later.obs_status']) }} as letters,
        {{ provenance_of(['earlier.provenance', 'later.provenance']) }} as provenance
    from wanted
    inner join figures as earlier
        on earlier.series_number = wanted.first_number
        and earlier.value is not null
    inner join figures as later
        on later.series_number = wanted.second_number
        and later.region_code = earlier.region_code
        and later.value is not null
    inner join {{ ref('int_region__tree') }} as tree
        on tree.reference_geography = wanted.reference_geography
        and tree.as_of_date = wanted.as_of_date
        and tree.region_code = earlier.region_code
        and tree.distance = 0
        and tree.is_leaf
    left join reported
        on reported.series_number = wanted.series_number
        and reported.region_code = earlier.region_code
    where reported.series_number is null
),

-- the nearest region above with a report, of each that was reported or grown
placed_below as (
    select
        below.series_number,
        below.region_code,
        below.value,
        below.is_grown,
        tree.ancestor_code,
        tree.leaves,
        tree.ancestor_leaves,
        above.value as above_value,
        above.obs_status as above_status,
        above.provenance as above_provenance,
        row_number() over (
            partition by below.series_number, below.region_code order by tree.distance
        ) as place
    from (
        select series_number, region_code, value, true as is_grown from grown
        union all
        select series_number, region_code, value, false from reported
    ) as below
    inner join series
        on series.series_number = below.series_number
    inner join {{ ref('int_region__tree') }} as tree
        on tree.reference_geography = series.reference_geography
        and tree.as_of_date = series.as_of_date
        and tree.region_code = below.region_code
        and tree.distance > 0
    inner join reported as above
        on above.series_number = below.series_number
        and above.region_code = tree.ancestor_code
),

-- what is left of that report for the regions that were grown, where they and the reported ones are the whole of it
scales as (
    select
        series_number,
        ancestor_code,
        max(above_value) - coalesce(sum(case when not is_grown then value end), 0) as target,
        sum(case when is_grown then value end) as grown,
        max(above_status) as letters,
        max(above_provenance) as provenance,
        sum(leaves) = max(ancestor_leaves) as is_whole
    from placed_below
    where place = 1
    group by series_number, ancestor_code
),

scaled as (
    select
        grown.series_number,
        grown.region_code,
        grown.letters,
        grown.provenance,
        scales.letters as scale_letters,
        scales.provenance as scale_provenance,
        placed_below.ancestor_code,
        scales.target,
        case
            when scales.series_number is null then cast(floor(grown.value + 0.5) as double)
            when scales.is_whole and scales.target >= 0
                then {{ divide('cast(grown.value as double) * cast(scales.target as double)', 'scales.grown') }}
        end as value
    from grown
    left join placed_below
        on placed_below.series_number = grown.series_number
        and placed_below.region_code = grown.region_code
        and placed_below.is_grown
        and placed_below.place = 1
    left join scales
        on scales.series_number = placed_below.series_number
        and scales.ancestor_code = placed_below.ancestor_code
),

-- people are whole, and together they are what was reported: by the largest remainder
remainders as (
    select
        *,
        target - sum(floor(value)) over (partition by series_number, ancestor_code) as left_over,
        row_number() over (
            partition by series_number, ancestor_code order by value - floor(value) desc, region_code
        ) as place
    from scaled
    where value is not null
),

leaves as (
    select
        series_number,
        region_code,
        {{ exact('floor(value) + case when ancestor_code is not null and place <= left_over then 1 else 0 end') }}
            as value,
        {{ joined_statuses(['letters', 'scale_letters', "'E'"]) }} as letters,
        {{ provenance_of(['provenance', 'scale_provenance']) }} as provenance
    from remainders
),

-- a region above has the sum of what is below it, where it has no report
sums as (
    select
        part.series_number,
        tree.ancestor_code as region_code,
        {{ exact_sum('part.value') }} as value,
        {{ status_of_rows('part.letters') }} as letters,
        {{ provenance_of_rows('part.provenance') }} as provenance
    from (
        select leaves.series_number, leaves.region_code, leaves.value, leaves.letters, leaves.provenance from leaves
        union all
        select
            reported.series_number, reported.region_code, reported.value,
            {{ dbt.concat(['reported.obs_status', "'E'"]) }}, reported.provenance
        from reported
    ) as part
    inner join series
        on series.series_number = part.series_number
    inner join {{ ref('int_region__tree') }} as tree
        on tree.reference_geography = series.reference_geography
        and tree.as_of_date = series.as_of_date
        and tree.region_code = part.region_code
        and tree.distance > 0
        and tree.is_leaf
    left join reported as above
        on above.series_number = part.series_number
        and above.region_code = tree.ancestor_code
    where above.series_number is null
    group by part.series_number, tree.ancestor_code
    having count(*) = max(tree.ancestor_leaves)
),

derived as (
    select region_code, series_number, value, letters, provenance, derivation, extract_rank
    from ages

    union all

    select region_code, series_number, value, letters, provenance, derivation, extract_rank
    from mid_years

    union all

    -- after whatever anybody reports
    select region_code, series_number, value, letters, provenance, 'estimated', 2147483647
    from (
        select region_code, series_number, value, letters, provenance from leaves
        union all
        select region_code, series_number, value, letters, provenance from sums
    ) as estimates
)

select
    derived.region_code,
    derived.series_number,
    series.year_series_number,
    series.reference_geography,
    series.as_of_date,
    {% for column in series_dimensions() %}
    series.{{ column }},
    {% endfor %}
    series.year,
    derived.value,
    {{ ranked_status('derived.letters', 'derived.value') }} as obs_status,
    derived.provenance,
    derived.derivation,
    derived.extract_rank,
    cast(null as {{ dbt.type_string() }}) as observation_id,
    series.aggregation,
    series.population_source,
    series.is_population,
    true as is_within_year
from derived
inner join series
    on series.series_number = derived.series_number
