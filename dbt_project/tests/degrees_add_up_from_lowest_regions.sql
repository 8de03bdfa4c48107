{{ config(
    meta={'severity': 'block', 'owner': '指标管理 / indicator owner',
          'why': 'a degree that is not the mean of its regions cannot be explained to them'},
) }}
-- the way by contributions and the way by scores must meet: a region is the mean of its lowest regions, weighed with
-- residents, and the whole is the weighted mean of the domains in each of them
with trees as (
    select distinct tree_number, domain_number, domain, domain_weight, scale, weight_set
    from {{ ref('int_score__list_scales') }}
    where scale_kind = 'target'
),

places as (
    select distinct place_number, reference_geography, year, region_code
    from {{ ref('int_score__place_regions') }}
),

wholes as (
    select
        leaf.tree_number, leaf.place_number, leaf.leaf_number,
        sum(case when leaf.score is not null then cast(trees.domain_weight as double) * leaf.score end) as weighted_sum,
        sum(case when leaf.score is not null then cast(trees.domain_weight as double) end) as weight
    from {{ ref('int_score__score_leaves') }} as leaf
    inner join trees
        on trees.tree_number = leaf.tree_number
        and trees.domain_number = leaf.domain_number
    group by leaf.tree_number, leaf.place_number, leaf.leaf_number
),

leaves as (
    select
        leaf.tree_number, leaf.place_number, leaf.domain_number,
        leaf.people,
        case when leaf.domain_number = 0 then {{ divide('wholes.weighted_sum', 'wholes.weight') }} else leaf.score end as score
    from {{ ref('int_score__score_leaves') }} as leaf
    inner join wholes
        on wholes.tree_number = leaf.tree_number
        and wholes.place_number = leaf.place_number
        and wholes.leaf_number = leaf.leaf_number
    where leaf.score is not null and leaf.people is not null
),

means as (
    select
        tree_number, place_number, domain_number,
        {{ divide('sum(cast(people as double) * score)', 'sum(people)') }} as mean
    from leaves
    group by tree_number, place_number, domain_number
),

regions as (
    select
        tree.scale, tree.weight_set, places.reference_geography, places.year, places.region_code,
        coalesce(domains.domain, 'all') as domain,
        means.mean
    from means
    inner join (select distinct tree_number, scale, weight_set from trees) as tree
        on tree.tree_number = means.tree_number
    inner join places
        on places.place_number = means.place_number
    left join (select distinct domain_number, domain from trees) as domains
        on domains.domain_number = means.domain_number
)

select
    degree.region_code, degree.boundaries, degree.year, degree.domain, degree.weight_set,
    degree.target_edition, degree.degree_pct,
    100e0 * regions.mean as mean_of_lowest_regions
from {{ ref('figure_degree') }} as degree
left join regions
    on regions.region_code = degree.region_code
    and regions.reference_geography = degree.boundaries
    and regions.year = degree.year
    and regions.domain = degree.domain
    and regions.weight_set = degree.weight_set
    and regions.scale = degree.target_edition
where
    degree.method = 'mean'
    and (
        (degree.degree_pct is null) <> (regions.mean is null)
        or abs(degree.degree_pct - 100e0 * regions.mean) > 1e-9
    )
