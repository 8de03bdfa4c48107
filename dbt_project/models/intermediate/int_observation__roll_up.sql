-- All observations for use, each with what it is about.
select
    figure.region_code,
    figure.series_number,
    series.year_series_number,
    series.reference_geography,
    series.as_of_date,
    {% for column in series_dimensions() %}
    series.{{ column }},
    {% endfor %}
    series.year,
    figure.value,
    figure.obs_status,
    figure.provenance,
    figure.derivation,
    figure.extract_rank,
    figure.observation_id,
    series.aggregation,
    series.population_source,
    series.is_population,
    series.is_within_year
from {{ ref('int_observation__sum_regions') }} as figure
inner join {{ ref('int_observation__number_series') }} as series
    on series.series_number = figure.series_number
