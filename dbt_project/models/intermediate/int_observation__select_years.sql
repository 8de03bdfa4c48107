-- One figure per year, each with what it is about.
select
    figure.region_code,
    figure.series_number,
    series.reference_geography,
    series.as_of_date,
    series.measure,
    series.year,
    series.year_start,
    series.period_end,
    series.population_basis,
    series.population_source,
    series.residence,
    series.sex,
    series.age_group,
    series.group_code,
    series.item,
    figure.value,
    figure.obs_status,
    figure.provenance,
    figure.derivation,
    figure.extract_rank,
    figure.is_partial_year,
    figure.population_date,
    series.aggregation
from {{ ref('int_observation__make_years') }} as figure
inner join {{ ref('int_observation__number_series') }} as series
    on series.series_number = figure.series_number
