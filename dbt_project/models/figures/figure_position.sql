-- How each figure stands to the others of its subject, year, part of the people and variant: among the regions of its
-- depth in the home region (and, for money, of the same levels of government), to the home region and to the region above.
--   fifth            1 is best, or highest where neither is better: 6 - ceil(5 (n + 1 - rank) / n), ties sharing the best rank
--                    (as in PHEindicatormethods); missing where there are fewer regions than fifths
--   position_first, position_last   the positions that the intervals of chance leave open, where all figures have one
--   to_home, to_above   better, worse, higher, lower, similar; no word where no interval tells
{% set set_columns = ['subject_code', 'year', 'breakdown', 'variant', 'region_depth', 'government_levels'] %}

with figures as (
    select
        figure.*,
        region.parent_code,
        subject.direction,
        case when subject.direction = 'lower' then -1e0 else 1e0 end as sign,
        tree.region_code is not null as is_in_home,
        setting.home_region
    from {{ ref('figure') }} as figure
    cross join {{ ref('stg_setting') }} as setting
    inner join {{ ref('int_region__date') }} as region
        on region.reference_geography = figure.boundaries
        and region.as_of_date = figure.boundaries_date
        and region.region_code = figure.region_code
    inner join {{ ref('dim_subject') }} as subject
        on subject.subject_code = figure.subject_code
    left join {{ ref('int_region__tree') }} as tree
        on tree.reference_geography = figure.boundaries
        and tree.as_of_date = figure.boundaries_date
        and tree.region_code = figure.region_code
        and tree.ancestor_code = setting.home_region
        and tree.distance > 0
        and not coalesce(subject.is_of_territory and not region.is_territory, false)
),

ranked as (
    select
        {{ set_columns | join(', ') }}, region_id, value, ci_low, ci_high, sign,
        rank() over (partition by {{ set_columns | join(', ') }} order by sign * value desc) as place,
        count(*) over (partition by {{ set_columns | join(', ') }}) as regions,
        count(ci_low) over (partition by {{ set_columns | join(', ') }}) as intervals,
        case when sign > 0 then ci_low else -ci_high end as worse_end,
        case when sign > 0 then ci_high else -ci_low end as better_end
    from figures
    where is_in_home and value is not null
),

-- one more than the regions whose interval lies wholly on the better side; all less those wholly on the worse side
ends as (
    select {{ set_columns | join(', ') }}, region_id, 'worse' as side, worse_end as x from ranked where intervals = regions
    union all
    select {{ set_columns | join(', ') }}, region_id, 'better' as side, better_end as x from ranked where intervals = regions
),

positions as (
    select
        {{ set_columns | join(', ') }}, region_id,
        -- ends of the worse side beyond this better end; ends of the better side short of this worse end
        max(case when side = 'better' then worse_ends_beyond end) as surely_better,
        max(case when side = 'worse' then better_ends_short end) as surely_worse
    from (
        select
            *,
            count(case when side = 'worse' then 1 end) over (
                partition by {{ set_columns | join(', ') }}
            ) - sum(case when side = 'worse' then 1 else 0 end) over (
                partition by {{ set_columns | join(', ') }} order by x range between unbounded preceding and current row
            ) as worse_ends_beyond,
            sum(case when side = 'better' then 1 else 0 end) over (
                partition by {{ set_columns | join(', ') }} order by x range between unbounded preceding and current row
            ) - sum(case when side = 'better' then 1 else 0 end) over (
                partition by {{ set_columns | join(', ') }}, x
            ) as better_ends_short
        from ends
    ) as counted
    group by {{ set_columns | join(', ') }}, region_id
)

select
    figures.subject_code,
    figures.region_id,
    figures.year,
    figures.breakdown,
    figures.variant,
    case when ranked.regions > 1 then cast(ranked.regions as integer) end as regions_compared,
    case when ranked.regions >= 5
        then cast(greatest(1, 6 - ceil({{ divide('5 * (ranked.regions + 1 - ranked.place)', 'ranked.regions') }})) as integer)
    end as fifth,
    cast(1 + positions.surely_better as integer) as position_first,
    cast(ranked.regions - positions.surely_worse as integer) as position_last,
    home.value as home_value,
    above.value as above_value,
    {% for other in ['home', 'above'] %}
    case
        when figures.value is null or {{ other }}.value is null or figures.ci_low is null or figures.ci_high is null then null
        when {{ other }}.value between figures.ci_low and figures.ci_high then 'similar'
        when figures.direction in ('higher', 'lower')
            then case when ({{ other }}.value < figures.ci_low) = (figures.direction = 'higher') then 'better' else 'worse' end
        when {{ other }}.value < figures.ci_low then 'higher'
        else 'lower'
    end as to_{{ other }}{{ ',' if not loop.last }}
    {% endfor %}
from figures
left join ranked
    on ranked.region_id = figures.region_id
    {% for column in set_columns %}
    and ranked.{{ column }} = figures.{{ column }}
    {% endfor %}
left join positions
    on positions.region_id = figures.region_id
    {% for column in set_columns %}
    and positions.{{ column }} = figures.{{ column }}
    {% endfor %}
left join figures as home
    on home.region_code = home.home_region
    and figures.region_code <> home.region_code
    and home.subject_code = figures.subject_code
    and home.year = figures.year
    and home.breakdown = figures.breakdown
    and home.variant = figures.variant
left join figures as above
    on above.region_code = figures.parent_code
    and above.subject_code = figures.subject_code
    and above.year = figures.year
    and above.breakdown = figures.breakdown
    and above.variant = figures.variant
where figures.value is not null
