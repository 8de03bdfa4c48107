-- The spread of the figures of one subject, year, part of the people and variant among the regions of one depth in the
-- home region (for money: of the same levels of government); quartiles linear between neighbours, the mean unweighted.
select
    figure.subject_code,
    figure.year,
    max(figure.period_name) as period_name,
    figure.region_depth,
    figure.government_levels,
    figure.breakdown,
    figure.variant,
    cast(count(*) as integer) as regions,
    min(figure.value) as least,
    percentile_cont(0.25) within group (order by figure.value) as first_quartile,
    percentile_cont(0.5) within group (order by figure.value) as median,
    percentile_cont(0.75) within group (order by figure.value) as third_quartile,
    max(figure.value) as most,
    {{ divide("sum(cast(figure.value as decimal(38, 12)))", 'count(*)') }} as mean,
    max(position.home_value) as home_value,
    {{ provenance_of_rows('figure.provenance') }} as provenance
from {{ ref('figure') }} as figure
inner join {{ ref('figure_position') }} as position
    on position.subject_code = figure.subject_code
    and position.region_id = figure.region_id
    and position.year = figure.year
    and position.breakdown = figure.breakdown
    and position.variant = figure.variant
    and position.regions_compared is not null
group by
    figure.subject_code, figure.year, figure.region_depth, figure.government_levels, figure.breakdown, figure.variant
