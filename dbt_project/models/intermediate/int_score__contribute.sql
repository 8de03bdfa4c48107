-- By how many points each indicator keeps the score of a region from 100, for its domain and for the whole (`all`).
-- A lowest region's contribution is its effective weight x (1 - attainment) x 100; a region above takes the mean of those
-- below, weighed with the residents of the regions that have a score, so that contributions add up to the gap.
{% set scale = ['scale_kind', 'scale', 'weight_set', 'reference_geography', 'year'] %}

with scores as (
    select *
    from {{ ref('int_score__score_leaves') }}
    where scale_kind in ('target', 'goalposts') and people is not null
),

people_scored as (
    select
        {{ scale | join(', ') }}, region_code, domain,
        sum(people) as people
    from scores
    where score is not null
    group by {{ scale | join(', ') }}, region_code, domain
),

parts as (
    select
        {% for column in scale %}
        own.{{ column }},
        {% endfor %}
        own.region_code,
        whole.domain,
        figure.domain as indicator_domain,
        figure.indicator_code,
        figure.is_illustrative,
        figure.provenance,
        figure.score,
        whole.people,
        {{ divide('figure.weight', 'own.available_weight') }}
            * case
                when whole.domain = 'all' then {{ divide('figure.domain_weight', 'whole.available_weight') }}
                else 1e0
            end as effective_weight
    from scores as own
    inner join scores as whole
        on whole.region_code = own.region_code
        and whole.leaf_code = own.leaf_code
        {% for column in scale %}
        and whole.{{ column }} = own.{{ column }}
        {% endfor %}
        and (whole.domain = own.domain or whole.domain = 'all')
        and whole.score is not null
    inner join {{ ref('int_score__weigh_leaves') }} as figure
        on figure.leaf_code = own.leaf_code
        and figure.domain = own.domain
        and figure.score is not null
        {% for column in scale %}
        and figure.{{ column }} = own.{{ column }}
        {% endfor %}
    inner join {{ ref('int_score__place_regions') }} as place
        on place.reference_geography = own.reference_geography
        and place.year = own.year
        and place.region_code = own.region_code
        and place.leaf_code = own.leaf_code
        and place.region_depth <= figure.unit_depth
    where own.domain <> 'all' and own.score is not null
),

summed as (
    select
        {{ scale | join(', ') }}, region_code, domain, indicator_domain, indicator_code,
        {{ stable_sum('people * effective_weight') }} as weight_sum,
        {{ stable_sum('people * effective_weight * (1e0 - score)') }} as gap_sum,
        coalesce({{ stable_sum('case when is_illustrative then people * effective_weight end') }}, 0e0) as illustrative_sum,
        coalesce({{ stable_sum("case when provenance = 'synthetic' then people * effective_weight end") }}, 0e0) as synthetic_sum,
        count(*) as regions,
        count(case when score < 1 then 1 end) as regions_short,
        {{ provenance_of_rows('provenance') }} as provenance
    from parts
    group by {{ scale | join(', ') }}, region_code, domain, indicator_domain, indicator_code
)

select
    {% for column in scale %}
    summed.{{ column }},
    {% endfor %}
    summed.region_code,
    summed.domain,
    summed.indicator_domain,
    summed.indicator_code,
    {{ divide('summed.weight_sum', 'people_scored.people') }} as effective_weight,
    1e0 - {{ divide('summed.gap_sum', 'summed.weight_sum') }} as attainment,
    {{ gap_contribution(divide('summed.gap_sum', 'people_scored.people'), '0e0') }} as contribution_points,
    {{ divide('summed.illustrative_sum', 'people_scored.people') }} as illustrative_weight,
    {{ divide('summed.synthetic_sum', 'people_scored.people') }} as synthetic_weight,
    summed.regions,
    summed.regions_short,
    summed.provenance
from summed
inner join people_scored
    on people_scored.region_code = summed.region_code
    and people_scored.domain = summed.domain
    {% for column in scale %}
    and people_scored.{{ column }} = summed.{{ column }}
    {% endfor %}
where people_scored.people > 0
