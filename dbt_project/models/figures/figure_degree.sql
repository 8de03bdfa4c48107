-- The reconstructed equalisation degree and other readings of the same scores, each under its own method_id:
--   mean                      the main method: the mean of the lowest regions' scores, weighed with residents
--   residents_at_threshold    residents of the lowest regions whose score reaches the target of the degree
--   mean_less_dispersion      the mean x (1 - weighted coefficient of variation)
--   lowest_fifth              the mean of the fifth of residents who live where the score is lowest
--   geometric_mean            the geometric mean of the region's attainments, weighed as in the main method
-- and scores that a third party gives. A lowest region is compared with nothing inside it: it has the main method and
-- the geometric mean only.
{% set course = 'united.variant, region.region_id, united.domain' %}
{% set methods = {
    'residents_at_threshold': ('share_at_threshold', 'share_at_threshold_low', 'share_at_threshold_high'),
    'mean_less_dispersion': ('mean * (1e0 - variation)', 'null', 'null'),
    'lowest_fifth': ('lowest_fifth', 'lowest_fifth_low', 'lowest_fifth_high'),
    'geometric_mean': ('geometric_mean', 'null', 'null'),
} %}

with scores as (
    select *
    from {{ ref('int_score__aggregate_regions') }}
    where scale_kind = 'target'
),

readings as (
    select
        *,
        'mean' as method_id,
        cast(points as decimal(18, 12)) as degree,
        -- nothing missing: the last of twelve decimals must not put the degree outside its bounds
        least(cast(100e0 * mean_low as decimal(18, 12)), cast(points as decimal(18, 12))) as degree_low,
        greatest(cast(100e0 * mean_high as decimal(18, 12)), cast(points as decimal(18, 12))) as degree_high,
        reason as undefined_reason
    from scores

    {% for method in var('score_methods') if method != 'mean' %}
    {% set columns = methods[method] %}
    union all

    select
        *,
        '{{ method }}' as method_id,
        cast(100e0 * ({{ columns[0] }}) as decimal(18, 12)) as degree,
        cast(100e0 * ({{ columns[1] }}) as decimal(18, 12)) as degree_low,
        cast(100e0 * ({{ columns[2] }}) as decimal(18, 12)) as degree_high,
        case
            when reason <> 'computed' then reason
            when ({{ columns[0] }}) is not null then 'computed'
            else {% if method == 'residents_at_threshold' %}'no_threshold'{% elif method == 'geometric_mean' %}'zero_score'{% else %}'mean_not_positive'{% endif %}

        end as undefined_reason
    from scores
    {%- if method != 'geometric_mean' %}

    where not is_leaf
    {%- endif %}

    {% endfor %}
),

variants as (
    select * from {{ variants_of('degree') }}
),

computed as (
    select
        variants.variant,
        readings.region_code,
        readings.reference_geography,
        readings.as_of_date,
        readings.year,
        readings.year_start,
        readings.domain,
        readings.method_id as method,
        readings.weight_set,
        readings.scale as target_edition,
        cast(readings.degree as double) as degree_pct,
        cast(readings.degree_low as double) as degree_low_pct,
        cast(readings.degree_high as double) as degree_high_pct,
        cast(cast(readings.weight_coverage as decimal(18, 12)) as double) as weight_coverage,
        cast(cast(100e0 * readings.illustrative_weight as decimal(18, 12)) as double) as illustrative_weight_pct,
        cast(cast(100e0 * readings.synthetic_weight as decimal(18, 12)) as double) as synthetic_weight_pct,
        cast(readings.regions as integer) as regions,
        cast(readings.regions_scored as integer) as regions_scored,
        readings.population_source,
        readings.people_scored as residents_scored,
        100e0 * readings.people_covered as residents_covered_pct,
        readings.threshold as target_pct,
        readings.undefined_reason,
        cast(null as string) as source,
        readings.letters,
        readings.provenance
    from readings
    inner join ({{ main_editions(ref('int_score__place_regions'), ref('stg_target')) }}) as editions
        on editions.year = readings.year
    inner join variants
        on variants.boundaries = readings.reference_geography
        and variants.method = readings.method_id
        and variants.weight_set = readings.weight_set
        and case variants.target_edition when 'in_force' then editions.edition else variants.target_edition end
            = readings.scale
),

-- scores that somebody else gives, of the lists of their own time
third_party as (
    select
        variants.variant,
        score.region_code,
        'reported' as reference_geography,
        coalesce(dates.as_of_date, cast({{ dbt.concat(['cast(score.year as ' ~ dbt.type_string() ~ ')', "'-12-31'"]) }} as date))
            as as_of_date,
        score.year,
        coalesce(dates.year_start, cast({{ dbt.concat(['cast(score.year as ' ~ dbt.type_string() ~ ')', "'-01-01'"]) }} as date))
            as year_start,
        score.domain,
        score.method_id as method,
        cast(null as string) as weight_set,
        cast(null as string) as target_edition,
        cast(score.score as double) as degree_pct,
        cast(null as double) as degree_low_pct,
        cast(null as double) as degree_high_pct,
        cast(null as double) as weight_coverage,
        cast(null as double) as illustrative_weight_pct,
        cast(null as double) as synthetic_weight_pct,
        cast(null as integer) as regions,
        cast(null as integer) as regions_scored,
        cast(null as string) as population_source,
        cast(null as bigint) as residents_scored,
        cast(null as double) as residents_covered_pct,
        targets.target_pct,
        'computed' as undefined_reason,
        score.source,
        '' as letters,
        score.provenance
    from {{ source('source', 'third_party_score') }} as score
    inner join variants
        on variants.method = score.method_id
        and variants.boundaries = 'reported'
    left join (
        select editions.year, target.target_value as target_pct
        from ({{ main_editions(source('source', 'third_party_score'), ref('stg_target')) }}) as editions
        inner join {{ ref('int_target__choose_finals') }} as target
            on target.edition = editions.edition
            and target.region_code = 'all'
        inner join {{ ref('stg_setting') }} as setting
            on setting.degree_indicator = target.indicator_code
    ) as targets
        on targets.year = score.year
    left join (
        select year, max(year_start) as year_start, max(as_of_date) as as_of_date
        from computed
        where reference_geography = 'reported'
        group by year
    ) as dates
        on dates.year = score.year
),

united as (
    select * from computed
    union all
    select * from third_party
),

-- what every other reading is compared with: the one that makes no choice but the list of regions
mains as (
    select computed.*
    from computed
    inner join variants
        on variants.variant = computed.variant
    where not variants.is_new_method and not variants.is_new_weight_set and not variants.is_new_target_edition
)

select
    united.variant,
    {{ region_columns('united') }},
    {{ period_columns('united') }},
    united.domain,
    {{ domain_names('united.domain', 'domain') }},
    {% for column in ['method',
                      'weight_set', 'target_edition', 'degree_pct', 'degree_low_pct', 'degree_high_pct', 'target_pct'] %}
    united.{{ column }},
    {% endfor %}
    cast(cast(united.target_pct as decimal(18, 12)) - cast(united.degree_pct as decimal(18, 12)) as double)
        as gap_to_target_pct,
    cast(united.degree_pct as decimal(18, 12)) >= united.target_pct as is_target_met,
    cast(cast(united.degree_pct as decimal(18, 12)) - cast(mains.degree_pct as decimal(18, 12)) as double)
        as difference_to_main_pct,
    {{ of_first_year('united.year', 'united.degree_pct', 'united.year', course) }} as base_year,
    {{ of_first_year('united.degree_pct', 'united.degree_pct', 'united.year', course) }} as base_degree_pct,
    cast(cast(united.degree_pct as decimal(18, 12)) - cast({{
        of_first_year('united.degree_pct', 'united.degree_pct', 'united.year', course) }} as decimal(18, 12)) as double)
        as change_points,
    {% for column in ['weight_coverage', 'illustrative_weight_pct', 'synthetic_weight_pct', 'regions', 'regions_scored',
                      'residents_scored', 'residents_covered_pct', 'population_source', 'undefined_reason', 'source'] %}
    united.{{ column }},
    {% endfor %}
    {{ ranked_status('united.letters', 'united.degree_pct') }} as obs_status,
    'F' as conf_status,
    united.provenance,
    united.reference_geography as boundaries,
    united.as_of_date as boundaries_date
from united
{{ joins_domain('united.domain') }}
left join {{ ref('int_region__date') }} as region
    on region.reference_geography = united.reference_geography
    and region.as_of_date = united.as_of_date
    and region.region_code = united.region_code
left join mains
    on mains.region_code = united.region_code
    and mains.reference_geography = united.reference_geography
    and mains.year = united.year
    and mains.domain = united.domain
