-- The composite index: the same tree as the degree with goalposts in place of targets; the home region of the base year
-- is 100, every region and year stands on that one scale. Goalposts are read, never recomputed. Weights are those of the
-- published set.
{% set methods = {'mean': ('mean', "'computed'"), 'geometric_mean': ('geometric_mean', "'zero_score'")} %}

with scores as (
    select score.*
    from {{ ref('int_score__aggregate_regions') }} as score
    inner join {{ ref('stg_setting') }} as setting
        on setting.weight_set = score.weight_set
    where score.scale_kind = 'goalposts'
),

readings as (
    {% for method, columns in methods.items() %}
    select
        *,
        '{{ method }}' as method_id,
        {{ columns[0] }} as level,
        case
            when reason <> 'computed' then reason
            when {{ columns[0] }} is null then {{ columns[1] }}
            else 'computed'
        end as level_reason
    from scores
    {% if not loop.last %}

    union all

    {% endif %}
    {% endfor %}
),

bases as (
    select readings.*
    from readings
    inner join {{ ref('stg_setting') }} as setting
        on setting.home_region = readings.region_code
        and setting.base_year = readings.year
)

select
    variant.variant,
    {{ region_columns('readings') }},
    {{ period_columns('readings') }},
    readings.domain,
    {{ domain_names('readings.domain', 'domain') }},
    readings.scale as goalpost_set,
    readings.weight_set,
    cast(cast(100e0 * {{ divide('readings.level', 'bases.level') }} as decimal(18, 10)) as double) as index_value,
    cast(cast(readings.level as decimal(18, 12)) as double) as level,
    bases.year as base_year,
    readings.weight_coverage,
    100e0 * readings.clamped_share as clamped_weight_pct,
    cast(readings.regions as integer) as regions,
    cast(readings.regions_scored as integer) as regions_scored,
    100e0 * readings.people_covered as residents_covered_pct,
    case
        when readings.level_reason <> 'computed' then readings.level_reason
        when bases.level is null then 'no_base'
        when bases.level = 0 then 'base_is_zero'
        else 'computed'
    end as undefined_reason,
    'F' as conf_status,
    {{ ranked_status('readings.letters', divide('readings.level', 'bases.level')) }} as obs_status,
    {{ provenance_of(['readings.provenance', 'bases.provenance']) }} as provenance,
    readings.reference_geography as boundaries,
    readings.as_of_date as boundaries_date
from readings
{{ joins_domain('readings.domain') }}
inner join {{ variants_of('index') }} as variant
    on variant.boundaries = readings.reference_geography
    and variant.method = readings.method_id
    and variant.goalpost_set = readings.scale
left join {{ ref('int_region__date') }} as region
    on region.reference_geography = readings.reference_geography
    and region.as_of_date = readings.as_of_date
    and region.region_code = readings.region_code
left join bases
    on bases.reference_geography = readings.reference_geography
    and bases.domain = readings.domain
    and bases.method_id = readings.method_id
    and bases.scale = readings.scale
