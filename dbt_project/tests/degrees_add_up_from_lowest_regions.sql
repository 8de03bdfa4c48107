{{ config(
    meta={'severity': 'block', 'owner': '指标管理 / indicator owner',
          'why': 'a degree that is not the mean of its regions cannot be explained to them'},
) }}
-- the way by contributions and the way by scores must meet: a region is the mean of its lowest regions, weighed with
-- residents, and the whole is the weighted mean of the domains in each of them
{% set key = ['scale', 'weight_set', 'reference_geography', 'year', 'region_code'] %}
with domains as (
    select distinct weight_set, domain, domain_weight
    from {{ ref('int_score__list_weights') }}
),

wholes as (
    select
        {% for column in key %}
        leaf.{{ column }},
        {% endfor %}
        leaf.leaf_code,
        sum(case when leaf.score is not null then cast(domains.domain_weight as double) * leaf.score end) as weighted_sum,
        sum(case when leaf.score is not null then cast(domains.domain_weight as double) end) as weight
    from {{ ref('int_score__score_leaves') }} as leaf
    inner join domains
        on domains.weight_set = leaf.weight_set
        and domains.domain = leaf.domain
    where leaf.scale_kind = 'target'
    group by
        {% for column in key %}
        leaf.{{ column }},
        {% endfor %}
        leaf.leaf_code
),

leaves as (
    select
        {% for column in key %}
        leaf.{{ column }},
        {% endfor %}
        leaf.domain,
        leaf.people,
        case when leaf.domain = 'all' then {{ divide('wholes.weighted_sum', 'wholes.weight') }} else leaf.score end as score
    from {{ ref('int_score__score_leaves') }} as leaf
    inner join wholes
        on wholes.leaf_code = leaf.leaf_code
        {% for column in key %}
        and wholes.{{ column }} = leaf.{{ column }}
        {% endfor %}
    where leaf.scale_kind = 'target' and leaf.score is not null and leaf.people is not null
),

regions as (
    select
        {{ key | join(', ') }}, domain,
        {{ divide('sum(cast(people as double) * score)', 'sum(people)') }} as mean
    from leaves
    group by {{ key | join(', ') }}, domain
)

select
    degree.region_code, degree.reference_geography, degree.year, degree.domain, degree.weight_set,
    degree.target_edition, degree.degree_pct,
    100e0 * regions.mean as mean_of_lowest_regions
from {{ ref('mart_equalisation') }} as degree
left join regions
    on regions.region_code = degree.region_code
    and regions.reference_geography = degree.reference_geography
    and regions.year = degree.year
    and regions.domain = degree.domain
    and regions.weight_set = degree.weight_set
    and regions.scale = degree.target_edition
where
    degree.method_id = 'population_weighted_mean'
    and (
        (degree.degree_pct is null) <> (regions.mean is null)
        or abs(degree.degree_pct - 100e0 * regions.mean) > 1e-9
    )
