-- What became of each region's land and people: from every stretch of time in which a code's land did not change, to the
-- regions of each reference geography, with the weight that its figures go there with (docs/methods/regions.md).
-- Changes are walked one after the other, forward by the part of the old unit's people that came to the new one, or
-- back by the part of the new unit's people that had been of the old one. A code that no change names stays what it is;
-- a code that changed is another region from that day on, so that land under a code used again never mixes.
-- Regions that are declared to compare only together end in their union.
with recursive stretches as (
    select region_code, valid_from, valid_to from {{ ref('int_region__identity') }}
),

-- the changes that are listed, and the codes that pass a day without one that takes from them
links as (
    select
        change.from_code,
        change.to_code,
        change.effective_date,
        change.population_share as share_forward,
        change.share_of_to as share_back,
        coalesce(change.is_estimated, false) as is_estimated,
        true as is_listed
    from {{ source('source', 'region_change') }} as change

    union all

    select
        before.region_code,
        before.region_code,
        before.valid_to,
        cast(1 as decimal(12, 9)),
        case when coming.to_code is null then cast(1 as decimal(12, 9)) end,
        false,
        false
    from stretches as before
    inner join stretches as after
        on after.region_code = before.region_code
        and after.valid_from = before.valid_to
    left join (select distinct from_code, effective_date from {{ source('source', 'region_change') }}) as going
        on going.from_code = before.region_code
        and going.effective_date = before.valid_to
    left join (select distinct to_code, effective_date from {{ source('source', 'region_change') }}) as coming
        on coming.to_code = before.region_code
        and coming.effective_date = before.valid_to
    where going.from_code is null
),

steps as (
    select
        'forward' as direction,
        links.from_code as region_code,
        links.effective_date,
        after.region_code as next_code,
        after.valid_from,
        after.valid_to,
        links.share_forward as share,
        count(*) over (partition by links.from_code, links.effective_date) as parts,
        links.is_estimated,
        links.is_listed
    from links
    inner join stretches as after
        on after.region_code = links.to_code
        and after.valid_from = links.effective_date

    union all

    select
        'back' as direction,
        links.to_code as region_code,
        links.effective_date,
        before.region_code as next_code,
        before.valid_from,
        before.valid_to,
        links.share_back as share,
        count(*) over (partition by links.to_code, links.effective_date) as parts,
        links.is_estimated,
        links.is_listed
    from links
    inner join stretches as before
        on before.region_code = links.from_code
        and before.valid_to = links.effective_date
),

-- where nobody knows the shares of a change its parts count alike: that matters only until they meet in one union
walk as (
    select
        geography.reference_geography,
        geography.as_of_date,
        stretches.region_code,
        stretches.valid_from,
        stretches.valid_to,
        stretches.region_code as next_code,
        stretches.valid_from as next_from,
        stretches.valid_to as next_to,
        cast(1 as decimal(20, 18)) as weight,
        false as is_estimated,
        false as is_listed,
        cast(null as {{ dbt.type_string() }}) as unknown_at
    from {{ source('source', 'reference_geography') }} as geography
    inner join stretches
        on geography.reference_geography <> 'reported'

    union all

    select
        walk.reference_geography,
        walk.as_of_date,
        walk.region_code,
        walk.valid_from,
        walk.valid_to,
        steps.next_code,
        steps.valid_from,
        steps.valid_to,
        cast(
            walk.weight * case
                when steps.share is not null then steps.share
                when steps.parts = 1 then cast(1 as decimal(12, 9))
                else cast({{ divide('1', 'steps.parts') }} as decimal(12, 9))
            end as decimal(20, 18)
        ),
        walk.is_estimated or (steps.is_estimated and steps.parts > 1),
        walk.is_listed or steps.is_listed,
        case
            when walk.unknown_at is null and steps.share is null and steps.parts > 1
                then {{ dbt.concat(['walk.next_code', "' '", 'cast(steps.effective_date as ' ~ dbt.type_string() ~ ')']) }}
            else walk.unknown_at
        end
    from walk
    inner join steps
        on steps.region_code = walk.next_code
        and (
            (steps.direction = 'forward' and walk.next_to <= walk.as_of_date and steps.effective_date = walk.next_to)
            or (steps.direction = 'back' and walk.next_from > walk.as_of_date and steps.effective_date = walk.next_from)
        )
),

ended as (
    select
        walk.*,
        coalesce(member.union_code, walk.next_code) as to_code
    from walk
    left join {{ source('source', 'region_union') }} as member
        on cast(member.reference_geography as {{ dbt.type_string() }}) = walk.reference_geography
        and member.member_code = walk.next_code
    where walk.next_from <= walk.as_of_date and (walk.next_to is null or walk.next_to > walk.as_of_date)
),

known as (
    select
        reference_geography, region_code, valid_from, unknown_at,
        count(distinct to_code) = 1 as is_known
    from ended
    where unknown_at is not null
    group by reference_geography, region_code, valid_from, unknown_at
),

summed as (
    select
        ended.reference_geography,
        ended.as_of_date,
        ended.region_code,
        ended.valid_from,
        ended.valid_to,
        ended.to_code,
        sum(ended.weight) as weight,
        max(case when ended.is_estimated then 1 else 0 end) = 1 as is_estimated,
        max(case when ended.is_listed then 1 else 0 end) = 1 as is_listed,
        min(case when known.is_known = false then 0 else 1 end) = 1 as is_known
    from ended
    left join known
        on known.reference_geography = ended.reference_geography
        and known.region_code = ended.region_code
        and known.valid_from = ended.valid_from
        and known.unknown_at = ended.unknown_at
    group by
        ended.reference_geography, ended.as_of_date, ended.region_code, ended.valid_from, ended.valid_to, ended.to_code
    having sum(ended.weight) > 0
),

-- nine places as the shares have; what rounding leaves goes to the largest weight, so that they add up to 1
rounded as (
    select
        *,
        cast(round(weight, 9) as decimal(12, 9)) as rounded_weight,
        sum(cast(round(weight, 9) as decimal(12, 9))) over (
            partition by reference_geography, region_code, valid_from
        ) as whole,
        row_number() over (
            partition by reference_geography, region_code, valid_from order by weight desc, to_code
        ) as place,
        min(case when is_known then 1 else 0 end) over (
            partition by reference_geography, region_code, valid_from
        ) = 1 as are_known
    from summed
)

select
    reference_geography,
    as_of_date,
    region_code,
    valid_from,
    valid_to,
    to_code,
    cast(
        case
            when place = 1 and abs(1 - whole) < 0.000001 then rounded_weight + 1 - whole
            else rounded_weight
        end as decimal(10, 9)
    ) as weight,
    is_estimated,
    is_listed,
    -- every share on the way is known, and no part of the people got lost on it
    are_known and abs(1 - whole) < 0.000001 as is_known
from rounded
