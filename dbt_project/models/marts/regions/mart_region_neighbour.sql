-- The five regions most like each: of its depth and with the same levels of government, by the distance over the traits
-- residents (their logarithm), share of residents in town, and spending per resident, in the newest year that has them,
-- each in units of its standard deviation. A trait that a region of the set lacks counts for none of them.
with traits as (
    select
        region.region_id,
        region.region_depth,
        trend.government_levels,
        spending.year,
        spending.period_name,
        ln(cast(spending.residents as double)) as size_trait,
        {{ divide('urban.residents', 'spending.residents') }} as urban_trait,
        spending.per_resident as spending_trait
    from {{ ref('dim_current_region') }} as region
    inner join {{ ref('mart_subject_level') }} as newest
        on newest.subject_code = 'spending.all'
        and newest.region_depth = region.region_depth
    inner join {{ ref('mart_region_trend') }} as trend
        on trend.subject_code = 'spending.all'
        and trend.region_id = region.region_id
        and trend.year = newest.year
    inner join {{ ref('mart_per_capita_spending') }} as spending
        on spending.region_id = region.region_id
        and spending.year = newest.year
        and spending.domain = 'all'
        and spending.residence = 'total'
    left join {{ ref('mart_per_capita_spending') }} as urban
        on urban.region_id = region.region_id
        and urban.year = newest.year
        and urban.domain = 'all'
        and urban.residence = 'urban'
    where spending.residents > 0 and spending.per_resident is not null
),

scaled as (
    select
        region_id,
        region_depth,
        government_levels,
        year,
        period_name,
        {% for trait in ['size_trait', 'urban_trait', 'spending_trait'] %}
        case
            when count({{ trait }}) over (partition by region_depth, government_levels)
                = count(*) over (partition by region_depth, government_levels)
                then {{ trait }} / nullif({{ significant('spread_of_' ~ trait) }}, 0)
        end as {{ trait }}{{ ',' if not loop.last }}
        {% endfor %}
    from (
        select
            *,
            stddev_pop(size_trait) over (partition by region_depth, government_levels) as spread_of_size_trait,
            stddev_pop(urban_trait) over (partition by region_depth, government_levels) as spread_of_urban_trait,
            stddev_pop(spending_trait) over (partition by region_depth, government_levels) as spread_of_spending_trait
        from traits
    ) as measured
),

distances as (
    select
        one.region_id,
        other.region_id as neighbour_id,
        one.year,
        one.period_name,
        sqrt(
            {% for trait in ['size_trait', 'urban_trait', 'spending_trait'] %}
            coalesce(power(one.{{ trait }} - other.{{ trait }}, 2), 0e0){{ ' +' if not loop.last }}
            {% endfor %}
        ) as distance
    from scaled as one
    inner join scaled as other
        on other.region_depth = one.region_depth
        and other.government_levels = one.government_levels
        and other.region_id <> one.region_id
),

placed as (
    select
        region_id, neighbour_id, year, period_name, {{ significant('distance') }} as distance,
        row_number() over (partition by region_id order by {{ significant('distance') }}, neighbour_id) as place
    from distances
)

select
    placed.region_id,
    cast(placed.place as integer) as place,
    region.region_code,
    region.region_name,
    region.region_name_en,
    placed.neighbour_id,
    neighbour.region_code as neighbour_code,
    neighbour.region_name as neighbour_name,
    neighbour.region_name_en as neighbour_name_en,
    placed.distance,
    placed.year,
    placed.period_name
from placed
inner join {{ ref('dim_current_region') }} as region
    on region.region_id = placed.region_id
inner join {{ ref('dim_current_region') }} as neighbour
    on neighbour.region_id = placed.neighbour_id
where placed.place <= 5
