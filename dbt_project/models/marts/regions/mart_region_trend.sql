-- Every subject in today's regions over the years, about everybody: the main reading where the territory was the same, under
-- whatever name and code, else the figure on a declared later list of regions; `variant` says which. Beside it how the
-- figure stands to those of the other regions in the same variant.
with readings as (
    select subject_kind, variant, 0 as place
    from {{ ref('figure_variant') }}
    where is_main

    union all

    select subject_kind, variant, place
    from (
        select
            subject_kind,
            variant,
            row_number() over (partition by subject_kind order by boundaries desc, variant) as place
        from {{ ref('figure_variant') }}
        where is_new_boundaries and changes = 1
    ) as later
    where place = 1
),

figures as (
    select
        figure.*,
        subject.subject_kind,
        region.region_code as current_code,
        region.region_name,
        region.region_name_en,
        region.region_depth as current_depth,
        row_number() over (
            partition by figure.subject_code, figure.region_id, figure.year order by readings.place
        ) as place
    from {{ ref('figure') }} as figure
    inner join {{ ref('dim_subject') }} as subject
        on subject.subject_code = figure.subject_code
    inner join readings
        on readings.variant = figure.variant
        and readings.subject_kind = case when subject.subject_kind in ('budget_share', 'per_user') then 'spending' else subject.subject_kind end
    inner join {{ ref('dim_current_region') }} as region
        on region.region_id = figure.region_id
    where figure.breakdown = 'all'
)

select
    figures.subject_code,
    figures.region_id,
    figures.year,
    figures.period_name,
    figures.current_code as region_code,
    figures.region_name,
    figures.region_name_en,
    figures.current_depth as region_depth,
    figures.variant,
    figures.value,
    figures.value is not null
        and figures.year = max(case when figures.value is not null then figures.year end) over (
            partition by figures.subject_code, figures.region_id
        ) as is_newest,
    figures.ci_low,
    figures.ci_high,
    figures.government_levels,
    position.home_value,
    -- money compares with that of the same levels of government alone; net income is no part of spending
    case when figures.subject_kind = 'spending' then benchmark.median end as peers_median,
    case when figures.subject_kind = 'spending' and figures.value >= 0 and benchmark.median > 0
        then {{ divide('100 * figures.value', 'benchmark.median') }}
    end as of_peers_median_pct,
    position.to_home,
    position.fifth,
    position.position_first,
    position.position_last,
    position.regions_compared,
    figures.obs_status,
    figures.undefined_reason,
    figures.conf_status,
    figures.provenance
from figures
left join {{ ref('figure_position') }} as position
    on position.subject_code = figures.subject_code
    and position.region_id = figures.region_id
    and position.year = figures.year
    and position.breakdown = figures.breakdown
    and position.variant = figures.variant
left join {{ ref('benchmark') }} as benchmark
    on benchmark.subject_code = figures.subject_code
    and benchmark.year = figures.year
    and benchmark.region_depth = figures.region_depth
    and benchmark.government_levels = figures.government_levels
    and benchmark.breakdown = figures.breakdown
    and benchmark.variant = figures.variant
    and position.regions_compared is not null
where figures.place = 1
