-- The reconstructed equalisation degree and other readings of the same scores, each under its own method_id:
--   population_weighted_mean  the main method: the mean of the lowest regions' scores, weighed with residents
--   residents_at_threshold    residents of the lowest regions whose score reaches the target of the degree
--   mean_less_dispersion      the mean x (1 - weighted coefficient of variation)
--   lowest_fifth              the mean of the fifth of residents who live where the score is lowest
--   geometric_mean            the geometric mean of the region's attainments, weighed as in the main method
-- and scores that a third party gives. A lowest region is compared with nothing inside it: it has the main method and
-- the geometric mean only.
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
        'population_weighted_mean' as method_id,
        cast(points as decimal(18, 12)) as degree,
        -- nothing missing: the last of twelve decimals must not put the degree outside its bounds
        least(cast(100e0 * mean_low as decimal(18, 12)), cast(points as decimal(18, 12))) as degree_low,
        greatest(cast(100e0 * mean_high as decimal(18, 12)), cast(points as decimal(18, 12))) as degree_high,
        reason as undefined_reason
    from scores

    {% for method, columns in methods.items() %}
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

computed as (
    select
        region_code,
        region_name,
        region_level,
        region_depth,
        reference_geography,
        year,
        period_name,
        as_of_date as reference_date,
        domain,
        method_id,
        weight_set,
        scale as target_edition,
        cast(degree as double) as degree_pct,
        cast(degree_low as double) as degree_low_pct,
        cast(degree_high as double) as degree_high_pct,
        cast(cast(weight_coverage as decimal(18, 12)) as double) as weight_coverage,
        cast(cast(100e0 * illustrative_weight as decimal(18, 12)) as double) as illustrative_weight_pct,
        cast(cast(100e0 * synthetic_weight as decimal(18, 12)) as double) as synthetic_weight_pct,
        cast(regions as integer) as regions,
        cast(regions_scored as integer) as regions_scored,
        population_source,
        people_scored as residents_scored,
        100e0 * people_covered as residents_covered_pct,
        threshold as target_pct,
        undefined_reason,
        cast(null as string) as source,
        letters,
        provenance
    from readings
),

third_party as (
    select
        score.region_code,
        region.region_name,
        region.region_level,
        region.region_depth,
        'reported' as reference_geography,
        score.year,
        coalesce(named.period_name, cast(score.year as {{ dbt.type_string() }})) as period_name,
        cast(null as date) as reference_date,
        score.domain,
        score.method_id,
        'none' as weight_set,
        'none' as target_edition,
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
        main.target_pct,
        'computed' as undefined_reason,
        score.source,
        '' as letters,
        score.provenance
    from {{ ref('stg_third_party_score') }} as score
    left join (
        select
            region_code, region_name, region_level, region_depth,
            row_number() over (partition by region_code order by valid_from desc) as place
        from {{ ref('stg_region') }}
    ) as region
        on region.region_code = score.region_code
        and region.place = 1
    left join (
        select editions.year, target.target_value as target_pct
        from ({{ main_editions(ref('stg_third_party_score'), ref('stg_target')) }}) as editions
        inner join {{ ref('int_target__choose_finals') }} as target
            on target.edition = editions.edition
            and target.region_code = 'all'
        inner join {{ ref('stg_setting') }} as setting
            on setting.degree_indicator = target.indicator_code
    ) as main
        on main.year = score.year
    left join (
        select year, max(period_name) as period_name
        from computed
        group by year
    ) as named
        on named.year = score.year
),

united as (
    select * from computed
    union all
    select * from third_party
),

-- what every other reading is compared with
mains as (
    select computed.*
    from computed
    cross join {{ ref('stg_setting') }} as setting
    inner join ({{ main_editions(ref('int_score__place_regions'), ref('stg_target')) }}) as editions
        on editions.year = computed.year
        and editions.edition = computed.target_edition
    where computed.method_id = 'population_weighted_mean' and computed.weight_set = setting.weight_set
)

select
    united.region_code,
    united.region_name,
    united.region_level,
    united.region_depth,
    united.reference_geography,
    united.year,
    united.period_name,
    united.reference_date,
    united.domain,
    united.method_id,
    united.weight_set,
    united.target_edition,
    united.degree_pct,
    united.degree_low_pct,
    united.degree_high_pct,
    united.target_pct,
    cast(cast(united.target_pct as decimal(18, 12)) - cast(united.degree_pct as decimal(18, 12)) as double)
        as gap_to_target_pct,
    cast(united.degree_pct as decimal(18, 12)) >= united.target_pct as is_target_met,
    cast(cast(united.degree_pct as decimal(18, 12)) - cast(mains.degree_pct as decimal(18, 12)) as double)
        as difference_to_main_pct,
    united.weight_coverage,
    united.illustrative_weight_pct,
    united.synthetic_weight_pct,
    united.regions,
    united.regions_scored,
    united.residents_scored,
    united.residents_covered_pct,
    united.population_source,
    united.undefined_reason,
    united.source,
    {{ ranked_status('united.letters', 'united.degree_pct') }} as obs_status,
    'F' as conf_status,
    united.provenance
from united
left join mains
    on mains.region_code = united.region_code
    and mains.reference_geography = united.reference_geography
    and mains.year = united.year
    and mains.domain = united.domain
