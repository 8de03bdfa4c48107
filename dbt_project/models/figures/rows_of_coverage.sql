-- What each indicator says of each region, year and part of the people, with its target and what it is compared with.
select
    figure.variant,
    {{ region_columns('figure') }},
    {{ period_columns('figure') }},
    figure.indicator_code,
    indicator.name_zh as indicator_name_zh,
    indicator.name_en as indicator_name_en,
    indicator.domain,
    indicator.service,
    figure.breakdown,
    part.name_zh as breakdown_name_zh,
    part.name_en as breakdown_name_en,
    figure.numerator,
    figure.denominator,
    figure.value,
    figure.unit,
    figure.ci_low,
    figure.ci_high,
    figure.interval_kind,
    figure.direction,
    figure.target_value,
    figure.target_year,
    figure.target_edition,
    figure.target_origin,
    figure.attainment,
    figure.ratio_to_target,
    figure.attainment_note,
    figure.attainment = 1e0 as is_target_met,
    case
        when catalogue.counts_persons and figure.unit = '%' and figure.direction = 'higher'
            and not figure.may_exceed_100 and figure.numerator <= figure.denominator
            then figure.denominator - figure.numerator
    end as people_without,
    position.home_value,
    position.above_value,
    position.to_home,
    position.fifth,
    position.regions_compared,
    figure.population_basis,
    figure.population_source,
    figure.population_date,
    figure.period_end as reference_date,
    figure.years_pooled,
    figure.standard_population,
    figure.derivation,
    figure.obs_status,
    figure.undefined_reason,
    'F' as conf_status,
    figure.provenance,
    figure.reference_geography as boundaries,
    figure.as_of_date as boundaries_date
from {{ ref('figure_indicator') }} as figure
inner join {{ source('source', 'indicator') }} as indicator
    on indicator.indicator_code = figure.indicator_code
inner join {{ ref('dim_indicator') }} as catalogue
    on catalogue.indicator_code = figure.indicator_code
left join {{ ref('dim_breakdown') }} as part
    on part.breakdown = figure.breakdown
left join {{ ref('figure_position') }} as position
    on position.subject_code = figure.indicator_code
    and position.region_id = figure.region_id
    and position.year = figure.year
    and position.breakdown = figure.breakdown
    and position.variant = figure.variant
{{ joins_region('figure') }}
