-- Figures on the regions of each reference geography (docs/methods/regions.md).
-- A region that is still the same passes its figure as it is, also under a new code or name, and also a rate. A region
-- that was divided gives each part its share by weight: things that are counted stay whole, by the largest remainder;
-- money and other quantities keep nine places, and what rounding leaves goes to the largest part. Parts add up to what
-- was divided, to the last digit. A region made of several needs all of them. Rates are never divided or added.
-- Where a figure is the total of both sexes or of all residences, its parts in a region are made to add up as well: the
-- total is the sum of its parts, and where both stand, those by residence follow the total that the sexes make.
with crosswalk as (
    select
        reference_geography, as_of_date, region_code, to_code, weight, sources,
        weight = 1 and sources = 1 as is_same
    from {{ ref('int_region__crosswalk') }}
    where is_known
),

series as (
    select
        series.series_number, series.reported_series_number, series.reference_geography, series.list_date,
        series.aggregation, series.both_sexes_number, series.all_residences_number,
        measure.unit in (
            select spending.unit
            from {{ source('source', 'measure') }} as spending
            inner join {{ ref('stg_spending_source') }} as source
                on source.measure = spending.measure
        ) as is_money
    from {{ ref('int_observation__number_series') }} as series
    left join {{ source('source', 'measure') }} as measure
        on measure.measure = series.measure
    where series.reference_geography <> 'reported'
),

same as (
    select
        crosswalk.to_code as region_code,
        series.series_number,
        figure.value,
        figure.obs_status,
        figure.provenance,
        figure.derivation,
        figure.extract_rank,
        figure.observation_id
    from {{ ref('int_observation__add_totals') }} as figure
    inner join series
        on series.reported_series_number = figure.series_number
    inner join crosswalk
        on crosswalk.reference_geography = series.reference_geography
        and crosswalk.as_of_date = series.list_date
        and crosswalk.region_code = figure.region_code
        and crosswalk.is_same
),

-- the figures that go to a region of another shape, whole or in parts
moved as (
    select
        crosswalk.to_code,
        crosswalk.region_code,
        crosswalk.weight,
        crosswalk.sources,
        series.series_number,
        series.both_sexes_number,
        series.all_residences_number,
        figure.value,
        figure.obs_status,
        figure.provenance,
        figure.extract_rank,
        not series.is_money and figure.value = floor(figure.value) as is_count,
        {{ exact('figure.value * crosswalk.weight') }} as share
    from {{ ref('int_observation__add_totals') }} as figure
    inner join series
        on series.reported_series_number = figure.series_number
        and series.aggregation <> 'none'
    inner join crosswalk
        on crosswalk.reference_geography = series.reference_geography
        and crosswalk.as_of_date = series.list_date
        and crosswalk.region_code = figure.region_code
        and not crosswalk.is_same
),

-- each part by itself
floored as (
    select
        *,
        case when is_count then {{ exact('floor(share)') }} else share end as low,
        value - sum(case when is_count then {{ exact('floor(share)') }} else share end) over (
            partition by series_number, region_code
        ) as left_over,
        row_number() over (
            partition by series_number, region_code
            order by case when is_count then share - floor(share) else 0 end desc, weight desc, to_code
        ) as place
    from moved
),

alone as (
    select
        to_code, region_code, series_number, both_sexes_number, all_residences_number, value, is_count,
        {{ exact("low + case
            when is_count and place <= left_over then 1
            when not is_count and place = 1 then left_over
            else 0
        end") }} as part
    from floored
),

-- a total of all residences that its parts make up exactly is their sum ...
residences as (
    select
        figure.series_number,
        figure.region_code,
        figure.to_code,
        {{ exact_sum('part.part') }} as part
    from alone as figure
    inner join alone as part
        on part.all_residences_number = figure.series_number
        and part.region_code = figure.region_code
        and part.to_code = figure.to_code
    group by figure.series_number, figure.region_code, figure.to_code
    having sum(part.value) = max(figure.value) and count(part.value) = count(*)
),

by_residence as (
    select
        alone.to_code, alone.region_code, alone.series_number, alone.both_sexes_number, alone.all_residences_number,
        alone.value, alone.is_count,
        coalesce(residences.part, alone.part) as part
    from alone
    left join residences
        on residences.series_number = alone.series_number
        and residences.region_code = alone.region_code
        and residences.to_code = alone.to_code
),

-- ... and so is one of both sexes
sexes as (
    select
        figure.series_number,
        figure.region_code,
        figure.to_code,
        {{ exact_sum('part.part') }} as part
    from by_residence as figure
    inner join by_residence as part
        on part.both_sexes_number = figure.series_number
        and part.region_code = figure.region_code
        and part.to_code = figure.to_code
    group by figure.series_number, figure.region_code, figure.to_code
    having sum(part.value) = max(figure.value) and count(part.value) = 2
),

by_sex as (
    select
        by_residence.to_code, by_residence.region_code, by_residence.series_number,
        by_residence.all_residences_number, by_residence.value, by_residence.is_count,
        coalesce(sexes.part, by_residence.part) as part,
        sexes.part is not null as is_of_sexes
    from by_residence
    left join sexes
        on sexes.series_number = by_residence.series_number
        and sexes.region_code = by_residence.region_code
        and sexes.to_code = by_residence.to_code
),

-- residences whose total the sexes have made, while nothing tells the sexes of the residences
following as (
    select
        part.series_number,
        part.region_code,
        part.to_code,
        part.all_residences_number,
        part.value,
        total.part as total_part,
        {{ divide('part.value * total.part', 'total.value') }} as share,
        row_number() over (
            partition by part.all_residences_number, part.region_code, part.to_code
            order by part.value desc, part.series_number
        ) as place,
        sum(part.value) over (
            partition by part.all_residences_number, part.region_code, part.to_code
        ) = total.value as is_whole,
        sum(case when part.is_of_sexes then 1 else 0 end) over (
            partition by part.all_residences_number, part.region_code, part.to_code
        ) = 0 as is_open
    from by_sex as part
    inner join by_sex as total
        on total.series_number = part.all_residences_number
        and total.region_code = part.region_code
        and total.to_code = part.to_code
        and total.is_of_sexes
        and total.is_count
        and total.value > 0
),

following_floored as (
    select
        *,
        floor(share) as low,
        value - sum(floor(share)) over (partition by series_number, region_code) as left_over,
        row_number() over (
            partition by series_number, region_code order by share - floor(share) desc, to_code
        ) as turn
    from following
    where is_whole and is_open
),

followed as (
    select
        series_number, region_code, to_code, all_residences_number, place, total_part,
        {{ exact('low + case when turn <= left_over then 1 else 0 end') }} as part
    from following_floored
),

-- the largest takes what the others leave of the total
rest as (
    select
        series_number, region_code, to_code,
        case
            when place = 1 then {{ exact('total_part - sum(case when place > 1 then part else 0 end) over (
                partition by all_residences_number, region_code, to_code)') }}
            else part
        end as part
    from followed
),

parts as (
    select
        by_sex.series_number,
        by_sex.to_code,
        by_sex.region_code,
        coalesce(rest.part, by_sex.part) as part
    from by_sex
    left join rest
        on rest.series_number = by_sex.series_number
        and rest.region_code = by_sex.region_code
        and rest.to_code = by_sex.to_code
),

joined as (
    select
        moved.to_code as region_code,
        moved.series_number,
        case
            when count(*) = sum(case when {{ adds_up('parts.part', 'moved.obs_status') }} then 1 else 0 end)
                then {{ exact_sum('parts.part') }}
        end as value,
        {{ status_of_rows("case when moved.weight < 1 then " ~ dbt.concat(['moved.obs_status', "'E'"])
                          ~ " else moved.obs_status end") }} as letters,
        {{ provenance_of_rows('moved.provenance') }} as provenance,
        max(moved.extract_rank) as extract_rank
    from moved
    inner join parts
        on parts.series_number = moved.series_number
        and parts.to_code = moved.to_code
        and parts.region_code = moved.region_code
    group by moved.to_code, moved.series_number
    having count(*) = max(moved.sources)
)

select region_code, series_number, value, obs_status, provenance, derivation, extract_rank, observation_id
from same

union all

select
    region_code,
    series_number,
    value,
    {{ ranked_status('letters', 'value') }} as obs_status,
    provenance,
    'rebased' as derivation,
    extract_rank,
    cast(null as {{ dbt.type_string() }}) as observation_id
from joined
