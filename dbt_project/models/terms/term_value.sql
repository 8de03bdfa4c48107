-- What each number of a series is made of: the parts of its total, the regions below it, the region it was re-based from, the
-- parts of its year, the populations it was derived of. What an extract reports is made of nothing but its cell.
with series as (
    select * from {{ ref('int_observation__number_series') }}
),

totals as (
    select region_code, series_number, value, derivation
    from {{ ref('int_observation__add_totals') }}
),

values_used as (
    select region_code, series_number, derivation from {{ ref('int_observation__sum_regions') }}
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

terms as (
    {% for parts in ['of_sexes', 'of_residences'] %}
    select series_number, region_code, part_series, region_code as part_region, 1e0 as weight
    from {{ parts }}

    union all

    {% endfor %}
    -- on the regions of another list
    select figure.series_number, figure.region_code, series.reported_series_number, crosswalk.region_code,
        cast(crosswalk.weight as double)
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

    union all

    -- the regions below
    select term.series_number, term.region_code, term.series_number, term.part_code, 1e0
    from {{ ref('term_region_sum') }} as term
    inner join {{ ref('int_observation__sum_regions') }} as figure
        on figure.series_number = term.series_number
        and figure.region_code = term.region_code
        and figure.derivation = 'summed'

    union all

    -- the parts of a year
    select series.whole_year_number, part.region_code, part.series_number, part.region_code, 1e0
    from {{ ref('int_observation__sum_regions') }} as part
    inner join series
        on series.series_number = part.series_number
        and series.is_part
    left join values_used as reported
        on reported.series_number = series.whole_year_number
        and reported.region_code = part.region_code
    where reported.series_number is null
)

select
    {{ value_id('terms.series_number', 'terms.region_code') }} as figure_id,
    'part' as role,
    'value' as input_kind,
    {{ value_id('terms.part_series', 'terms.part_region') }} as input_id,
    terms.weight
from terms
where terms.series_number <> terms.part_series or terms.region_code <> terms.part_region
