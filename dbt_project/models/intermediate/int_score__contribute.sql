-- By how many points each indicator keeps the score of a region from 100, for its domain and for the whole (domain 0).
-- A lowest region's contribution is its effective weight x (1 - attainment) x 100; a region above takes the mean of those
-- below, weighed with the residents of the regions that have a score, so that contributions add up to the gap. On the
-- scales that are published; what numbers stand for: int_score__list_scales and int_score__place_regions.
{# what is summed up for the domain, and for the whole: the weight of an indicator in a lowest region's score -#}
{% set sums = ['weight', 'gap', 'illustrative', 'synthetic'] %}

with people_scored as (
    select
        tree_number, place_number, domain_number,
        sum(people) as people
    from {{ ref('int_score__score_leaves') }}
    where people is not null and score is not null
    group by tree_number, place_number, domain_number
),

summed as (
    select
        tree_number, place_number, domain_number, indicator_number
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
    from {{ ref('term_contribution') }}
    group by tree_number, place_number, domain_number, indicator_number
),

listed as (
    {% for part in ['domain', 'whole'] %}
    select
        tree_number,
        place_number,
        {{ '0' if part == 'whole' else 'domain_number' }} as domain_number,
        indicator_number,
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
    listed.tree_number,
    listed.place_number,
    listed.domain_number,
    listed.indicator_number,
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
    on people_scored.tree_number = listed.tree_number
    and people_scored.place_number = listed.place_number
    and people_scored.domain_number = listed.domain_number
where people_scored.people > 0
