{{ config(
    meta={'severity': 'block', 'owner': '数据管理 / data steward',
          'why': 'a region without its parent is in no total; one that stands twice is counted twice'},
) }}
with overlapping as (
    select first.region_code, first.valid_from, 'overlaps another version' as problem
    from {{ source('source', 'region') }} as first
    inner join {{ source('source', 'region') }} as second
        on second.region_code = first.region_code
        and second.valid_from > first.valid_from
    where first.valid_to is null or first.valid_to > second.valid_from
),

orphans as (
    select child.region_code, child.valid_from, 'parent not in force when the region begins' as problem
    from {{ source('source', 'region') }} as child
    left join {{ source('source', 'region') }} as parent
        on parent.region_code = child.parent_code
        and parent.region_depth < child.region_depth
        and parent.valid_from <= child.valid_from
        and (parent.valid_to is null or parent.valid_to > child.valid_from)
    where child.parent_code is not null and parent.region_code is null
)

select * from overlapping
union all
select * from orphans
