-- Scores of every region, by domain and as a whole, on every scale: the mean of its lowest regions, weighed with their
-- residents; how far these lie apart; how much of the region is covered. A lowest region without a score is left out of
-- the mean; the bounds take every missing score at 0 and at 1, so that leaving out does not pay.
{% set region = ['tree_number', 'place_number', 'domain_number'] %}
{% set own = 'partition by score.tree_number, score.place_number, score.domain_number' %}

with trees as (
    select distinct tree_number, scale_kind, scale, weight_set
    from {{ ref('int_score__list_scales') }}
),

domains as (
    select distinct domain_number, domain
    from {{ ref('int_score__list_scales') }}

    union all

    select 0 as domain_number, 'all' as domain
),

places as (
    select
        place_number, reference_geography, year, region_code, region_name, region_level, region_depth,
        max(as_of_date) as as_of_date,
        max(year_start) as year_start,
        max(region_people) as region_people,
        max(population_source) as population_source
    from {{ ref('int_score__place_regions') }}
    group by place_number, reference_geography, year, region_code, region_name, region_level, region_depth
),

scores as (
    select
        score.*,
        -- a lowest region weighs 1 by itself: nobody's count is in that
        case when score.is_leaf then null else place.people_status end as people_status,
        case when score.is_leaf then null else place.people_provenance end as people_provenance
    from {{ ref('int_score__score_leaves') }} as score
    inner join {{ ref('int_score__place_regions') }} as place
        on place.place_number = score.place_number
        and place.leaf_number = score.leaf_number
),

in_order as (
    select
        score.*,
        -- in order of the score: how many people live in the regions that score no more; the same with what is missing
        -- at 0 and at 1
        sum(case when score.score is not null then score.people end) over (
            {{ own }}
            order by case when score.score is null then 1 else 0 end, score.score, score.leaf_number
            rows between unbounded preceding and current row
        ) as people_up_to,
        {% for bound in ['low', 'high'] %}
        sum(case when score.score_{{ bound }} is not null then score.people end) over (
            {{ own }}
            order by case when score.score_{{ bound }} is null then 1 else 0 end, score.score_{{ bound }}, score.leaf_number
            rows between unbounded preceding and current row
        ) as people_up_to_{{ bound }},
        {% endfor %}
        sum(case when score.score is not null then score.people end) over ({{ own }}) as people_scored,
        -- where nothing applies, nobody is counted
        sum(case when score.score_low is not null then score.people end) over ({{ own }}) as people_known,
        {{ stable_sum('case when score.score is not null then score.people * score.score end', own) }} as score_sum
    from scores as score
),

leaves as (
    select
        in_order.*,
        {{ divide('in_order.score_sum', 'in_order.people_scored') }} as mean,
        threshold.target_value as threshold
    from in_order
    inner join trees
        on trees.tree_number = in_order.tree_number
    cross join {{ ref('stg_setting') }} as setting
    left join {{ ref('int_target__choose_finals') }} as threshold
        on threshold.indicator_code = setting.degree_indicator
        and threshold.edition = trees.scale
        and threshold.region_code = 'all'
),

summed as (
    select
        {{ region | join(', ') }},
        count(*) as regions,
        count(score) as regions_scored,
        count(score_low) as regions_applicable,
        count(case when score_low is not null then people end) as regions_weighed,
        {{ any_true('is_leaf') }} as is_leaf,
        max(mean) as mean,
        max(people_scored) as people_scored,
        max(people_known) as people_known,
        max(threshold) as threshold,
        {{ stable_sum('people * score_low') }} as low_sum,
        {{ stable_sum('people * score_high') }} as high_sum,
        {{ stable_sum('people * weight_coverage') }} as coverage_sum,
        {{ stable_sum('case when score is not null then people * (score - mean) * (score - mean) end') }} as square_sum,
        min(case when people > 0 then score end) as lowest,
        max(case when people > 0 then score end) as highest,
        coalesce(sum(case when cast(100e0 * score as decimal(18, 12)) >= threshold then people end), 0)
            as people_at_threshold,
        coalesce(sum(case when cast(100e0 * score_low as decimal(18, 12)) >= threshold then people end), 0)
            as people_at_threshold_low,
        coalesce(sum(case when cast(100e0 * score_high as decimal(18, 12)) >= threshold then people end), 0)
            as people_at_threshold_high,
        {{ stable_sum('case when score is not null then score * '
                      ~ part_within('people', 'people_up_to - people', '0.2e0 * cast(people_scored as double)') ~ ' end') }} as fifth_sum,
        {{ stable_sum('score_low * ' ~ part_within('people', 'people_up_to_low - people', '0.2e0 * cast(people_known as double)')) }}
            as fifth_low_sum,
        {{ stable_sum('score_high * ' ~ part_within('people', 'people_up_to_high - people', '0.2e0 * cast(people_known as double)')) }}
            as fifth_high_sum,
        {{ stable_sum('case when score is not null then people * clamped_share end') }} as clamped_sum,
        {{ status_of_rows('case when score is not null then letters end') }} as letters,
        {{ status_of_rows('people_status') }} as people_letters,
        {{ provenance_of_rows('provenance') }} as provenance,
        {{ provenance_of_rows('people_provenance') }} as people_provenance,
        -- why there is no score, in the order in which reasons are worth telling
        min(case reason
            when 'domain_missing' then 1 when 'too_little_weight' then 2 when 'no_figures' then 3
            when 'not_applicable' then 4
        end) as reason_rank
    from leaves
    group by {{ region | join(', ') }}
),

indicators as (
    select
        {{ region | join(', ') }},
        sum(contribution_points) as gap,
        {{ stable_sum('effective_weight') }} as weight,
        {{ stable_sum('case when attainment > 0 then effective_weight * ln(attainment) end') }} as log_sum,
        count(case when attainment <= 0 then 1 end) as not_positive,
        {{ stable_sum('illustrative_weight') }} as illustrative_weight,
        {{ stable_sum('synthetic_weight') }} as synthetic_weight
    from {{ ref('int_score__contribute') }}
    group by {{ region | join(', ') }}
)

select
    {% for column in region %}
    summed.{{ column }},
    {% endfor %}
    trees.scale_kind,
    trees.scale,
    trees.weight_set,
    places.reference_geography,
    places.year,
    places.year_start,
    places.region_code,
    domains.domain,
    places.region_name,
    places.region_level,
    places.region_depth,
    places.as_of_date,
    places.population_source,
    summed.is_leaf,
    summed.regions,
    summed.regions_scored,
    case when summed.is_leaf then places.region_people else cast(summed.people_scored as bigint) end as people_scored,
    case
        when summed.is_leaf then case when summed.regions_scored = 1 then 1e0 else 0e0 end
        when summed.regions_weighed = summed.regions_applicable then {{ divide('coalesce(summed.people_scored, 0)', 'summed.people_known') }}
        else {{ divide('coalesce(summed.people_scored, 0)', 'places.region_people') }}
    end as people_covered,
    summed.mean,
    -- regions whose residents nobody reports count by what their region has more than the others
    {% for bound in ['low', 'high'] %}
    case
        when summed.regions_weighed = summed.regions_applicable then {{ divide('summed.' ~ bound ~ '_sum', 'summed.people_known') }}
        when places.region_people >= summed.people_known then {{ divide(
            'summed.' ~ bound ~ '_sum' ~ (' + cast(places.region_people as double) - cast(summed.people_known as double)' if bound == 'high' else ''),
            'places.region_people') }}
    end as mean_{{ bound }},
    {% endfor %}
    {{ divide('summed.coverage_sum', 'summed.people_known') }} as weight_coverage,
    {{ weighted_variation('summed.square_sum', 'summed.mean', 'summed.people_scored') }} as variation,
    summed.lowest,
    summed.highest,
    summed.threshold,
    case when summed.threshold is not null then {{ divide('summed.people_at_threshold', 'summed.people_scored') }} end
        as share_at_threshold,
    {% for bound in ['low', 'high'] %}
    case when summed.threshold is not null and summed.regions_weighed = summed.regions_applicable
        then {{ divide('summed.people_at_threshold_' ~ bound, 'summed.people_known') }}
    end as share_at_threshold_{{ bound }},
    {% endfor %}
    {{ divide('summed.fifth_sum', '0.2e0 * cast(summed.people_scored as double)') }} as lowest_fifth,
    {% for bound in ['low', 'high'] %}
    case when summed.regions_weighed = summed.regions_applicable
        then {{ divide('summed.fifth_' ~ bound ~ '_sum', '0.2e0 * cast(summed.people_known as double)') }}
    end as lowest_fifth_{{ bound }},
    {% endfor %}
    -- 100 less what the indicators take from it, to 12 decimals: so contributions add up to the gap exactly
    cast(100 as decimal(18, 12)) - indicators.gap as points,
    {{ weighted_geometric_mean('coalesce(indicators.log_sum, 0e0)', 'indicators.weight', 'indicators.not_positive') }}
        as geometric_mean,
    indicators.illustrative_weight,
    indicators.synthetic_weight,
    {{ divide('summed.clamped_sum', 'summed.people_scored') }} as clamped_share,
    {{ joined_statuses(['summed.letters', 'summed.people_letters']) }} as letters,
    {{ provenance_of(['summed.provenance', 'summed.people_provenance']) }} as provenance,
    case
        when summed.mean is not null then 'computed'
        when summed.regions_scored > 0 then 'no_population'
        else case summed.reason_rank
            when 1 then 'domain_missing' when 2 then 'too_little_weight' when 3 then 'no_figures' else 'not_applicable'
        end
    end as reason
from summed
inner join trees
    on trees.tree_number = summed.tree_number
inner join places
    on places.place_number = summed.place_number
inner join domains
    on domains.domain_number = summed.domain_number
left join indicators
    on indicators.tree_number = summed.tree_number
    and indicators.place_number = summed.place_number
    and indicators.domain_number = summed.domain_number
