-- By how many points each indicator keeps the score of a region from 100, for its domain and for the whole (`all`).
-- A lowest region's contribution is its effective weight x (1 - attainment) x 100; a region above takes the mean of those
-- below, weighed with the residents of the regions that have a score, so that contributions add up to the gap.
{% set scale = ['scale_kind', 'scale', 'weight_set', 'reference_geography', 'year'] %}
{# what is summed up for the domain, and for the whole: the weight of an indicator in a lowest region's score -#}
{% set sums = ['weight', 'gap', 'illustrative', 'synthetic'] %}

with scores as (
    select *
    from {{ ref('int_score__score_leaves') }}
    where scale_kind in ('target', 'goalposts') and people is not null and score is not null
),

-- a region on a scale has a number: the sums are then by a number instead of six texts
regions as (
    select
        {{ scale | join(', ') }}, region_code,
        row_number() over (order by {{ scale | join(', ') }}, region_code) as region_number
    from scores
    group by {{ scale | join(', ') }}, region_code
),

people_scored as (
    select
        regions.region_number,
        scores.domain,
        sum(scores.people) as people
    from scores
    inner join regions
        on regions.region_code = scores.region_code
        {% for column in scale %}
        and regions.{{ column }} = scores.{{ column }}
        {% endfor %}
    group by regions.region_number, scores.domain
),

-- the score of a lowest region in one domain, beside its score as a whole where it has one
own as (
    select
        {% for column in scale %}
        score.{{ column }},
        {% endfor %}
        regions.region_number,
        score.leaf_code,
        score.domain,
        score.region_depth,
        score.people,
        score.available_weight,
        whole.available_weight as whole_available_weight
    from scores as score
    inner join regions
        on regions.region_code = score.region_code
        {% for column in scale %}
        and regions.{{ column }} = score.{{ column }}
        {% endfor %}
    left join scores as whole
        on whole.domain = 'all'
        and whole.region_code = score.region_code
        and whole.leaf_code = score.leaf_code
        {% for column in scale %}
        and whole.{{ column }} = score.{{ column }}
        {% endfor %}
    where score.domain <> 'all'
),

parts as (
    select
        own.region_number,
        own.domain,
        figure.indicator_code,
        figure.is_illustrative,
        figure.provenance,
        figure.score,
        own.people,
        {{ divide('figure.weight', 'own.available_weight') }} as domain_weight,
        {{ divide('figure.weight', 'own.available_weight') }}
            * {{ divide('figure.domain_weight', 'own.whole_available_weight') }} as whole_weight
    from own
    inner join {{ ref('int_score__weigh_leaves') }} as figure
        on figure.leaf_code = own.leaf_code
        and figure.domain = own.domain
        and figure.unit_depth >= own.region_depth
        and figure.score is not null
        {% for column in scale %}
        and figure.{{ column }} = own.{{ column }}
        {% endfor %}
),

summed as (
    select
        region_number, domain, indicator_code
        {% for part in ['domain', 'whole'] %}
        {% set weight = 'people * ' ~ part ~ '_weight' %}
        {% set is_in = part ~ '_weight is not null' %}
        , {{ stable_sum(weight) }} as {{ part }}_weight_sum,
        {{ stable_sum(weight ~ ' * (1e0 - score)') }} as {{ part }}_gap_sum,
        coalesce({{ stable_sum('case when is_illustrative then ' ~ weight ~ ' end') }}, 0e0) as {{ part }}_illustrative_sum,
        coalesce({{ stable_sum("case when provenance = 'synthetic' then " ~ weight ~ ' end') }}, 0e0)
            as {{ part }}_synthetic_sum,
        count({{ part }}_weight) as {{ part }}_regions,
        count(case when {{ is_in }} and score < 1 then 1 end) as {{ part }}_regions_short,
        {{ provenance_of_rows('case when ' ~ is_in ~ ' then provenance end') }} as {{ part }}_provenance
        {% endfor %}
    from parts
    group by region_number, domain, indicator_code
),

listed as (
    {% for part in ['domain', 'whole'] %}
    select
        region_number,
        {{ "'all'" if part == 'whole' else 'domain' }} as domain,
        domain as indicator_domain,
        indicator_code,
        {% for column in sums %}
        {{ part }}_{{ column }}_sum as {{ column }}_sum,
        {% endfor %}
        {{ part }}_regions as regions,
        {{ part }}_regions_short as regions_short,
        {{ part }}_provenance as provenance
    from summed
    where {{ part }}_regions > 0
    {{ 'union all' if not loop.last }}
    {% endfor %}
)

select
    {% for column in scale %}
    regions.{{ column }},
    {% endfor %}
    regions.region_code,
    listed.domain,
    listed.indicator_domain,
    listed.indicator_code,
    {{ divide('listed.weight_sum', 'people_scored.people') }} as effective_weight,
    1e0 - {{ divide('listed.gap_sum', 'listed.weight_sum') }} as attainment,
    {{ gap_contribution(divide('listed.gap_sum', 'people_scored.people'), '0e0') }} as contribution_points,
    {{ divide('listed.illustrative_sum', 'people_scored.people') }} as illustrative_weight,
    {{ divide('listed.synthetic_sum', 'people_scored.people') }} as synthetic_weight,
    listed.regions,
    listed.regions_short,
    listed.provenance
from listed
inner join people_scored
    on people_scored.region_number = listed.region_number
    and people_scored.domain = listed.domain
inner join regions
    on regions.region_number = listed.region_number
where people_scored.people > 0
