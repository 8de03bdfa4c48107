-- Who paid: spending of each domain by level of government, and what each payer paid for an item of the list, as shares
-- of the whole that add up to one exactly. Shares are rounded to six places; what rounding leaves over goes to the last
-- level that paid, and is shown. An item is kept where no payer is further than one percentage point from the agreed share.
with levels as (
    select
        government_level,
        min(region_depth) as depth
    from {{ source('source', 'region') }}
    where government_level is not null
    group by government_level
),

payments as (
    select
        part.region_code, part.reference_geography, part.as_of_date, part.year, part.year_start, part.fund,
        part.account_stage,
        'domain' as subject_kind,
        part.domain as subject_code,
        part.government_level,
        part.value,
        part.letters,
        part.provenance
    from {{ ref('int_spending__add_levels') }} as part
    inner join {{ ref('int_spending__add_levels') }} as whole
        on whole.region_code = part.region_code
        and whole.reference_geography = part.reference_geography
        and whole.year_start = part.year_start
        and whole.fund = part.fund
        and whole.account_stage = part.account_stage
        and whole.residence = part.residence
        and whole.domain = part.domain
        and whole.government_level = 'all'
        -- every level reports
        and whole.value is not null
    where part.residence = 'total' and part.government_level <> 'all'

    union all

    select
        figure.region_code, figure.reference_geography, figure.as_of_date, figure.year, figure.year_start, 'all', 'final',
        'item', figure.item, figure.group_code, figure.value, figure.obs_status, figure.provenance
    from {{ ref('int_observation__select_years') }} as figure
    inner join {{ ref('stg_setting') }} as setting
        on setting.item_payment_measure = figure.measure
    where
        figure.residence = 'total'
        and figure.sex = 'all'
        and figure.age_group = 'all'
        and figure.group_code <> 'all'
        and figure.item <> 'all'
),

placed as (
    select
        payments.*,
        count(*) over (partition by {{ split_key() }}) as payers,
        count(payments.value) over (partition by {{ split_key() }}) as payers_known,
        sum(payments.value) over (partition by {{ split_key() }}) as total,
        row_number() over (
            partition by {{ split_key() }}
            -- a payer of nothing takes no residual
            order by
                case when payments.value = 0 then 1 else 0 end,
                case when payments.government_level = 'other' then 2 when levels.depth is not null then 1 else 0 end desc,
                levels.depth desc, payments.government_level desc
        ) as place_from_last
    from payments
    left join levels
        on levels.government_level = payments.government_level
),

shared as (
    select
        *,
        case when payers_known = payers then {{ rounded_share('value', 'total') }} end as rounded
    from placed
),

split as (
    select
        *,
        1 - sum(case when place_from_last > 1 then rounded else 0 end) over (partition by {{ split_key() }})
            as remainder
    from shared
),

-- the agreed share of the region itself before the one for everywhere; of several editions the last
agreed as (
    select
        split.region_code, split.reference_geography, split.year, split.subject_code, split.government_level,
        share.share as payer_share,
        share.origin,
        row_number() over (
            partition by
                split.region_code, split.reference_geography, split.year, split.subject_code, split.government_level
            order by case when share.region_code = split.region_code then 0 else 1 end, share.edition desc
        ) as place
    from split
    inner join {{ source('source', 'item_payer_share') }} as share
        on share.item = split.subject_code
        and share.government_level = split.government_level
        and share.region_code in (split.region_code, 'all')
    where split.subject_kind = 'item'
),

-- a payer that the agreement of an item does not name is to pay nothing
with_agreement as (
    select
        split.*,
        agreed.origin as agreed_origin,
        case
            when count(agreed.payer_share) over (partition by {{ split_key('split') }}) > 0
                then coalesce(agreed.payer_share, 0)
        end as agreed_share
    from split
    left join agreed
        on agreed.place = 1
        and split.subject_kind = 'item'
        and agreed.region_code = split.region_code
        and agreed.reference_geography = split.reference_geography
        and agreed.year = split.year
        and agreed.subject_code = split.subject_code
        and agreed.government_level = split.government_level
),

compared as (
    select
        *,
        case
            when rounded is null then null
            when place_from_last = 1 then cast(remainder as decimal(12, 9))
            else rounded
        end as share,
        -- against the unrounded share
        100e0 * ({{ divide('value', 'total') }} - cast(agreed_share as double)) as deviation_points
    from with_agreement
)

select
    variant.variant,
    {{ region_columns('compared') }},
    {{ period_columns('compared') }},
    compared.subject_kind,
    compared.subject_code,
    compared.government_level,
    coalesce(compared.government_level = region.government_level, false) as is_own_level,
    compared.value as spending,
    setting.currency,
    compared.share,
    cast(compared.share - compared.rounded as decimal(12, 9)) as rounding_residual,
    cast(compared.agreed_share as decimal(12, 9)) as agreed_share,
    compared.agreed_origin,
    compared.deviation_points,
    case
        when compared.payers_known = compared.payers and compared.deviation_points is not null
            -- a hair of rounding does not break an agreement
            then min(case when abs(compared.deviation_points) <= 1e0 + 1e-9 then 1 else 0 end) over (
                partition by {{ split_key('compared') }}
            ) = 1
    end as is_kept,
    case
        when compared.payers_known < compared.payers then 'payer_missing'
        when compared.total = 0 then 'nothing_spent'
    end as undefined_reason,
    case
        when compared.value is not null and compared.total = 0 then 'M'
        else {{ ranked_status('compared.letters', 'compared.share') }}
    end as obs_status,
    {{ provenance_of(['compared.provenance']) }} as provenance,
    'F' as conf_status,
    compared.reference_geography as boundaries,
    compared.as_of_date as boundaries_date
from compared
inner join {{ variants_of('fiscal') }} as variant
    on variant.boundaries = compared.reference_geography
    -- a payment for an item is of no fund
    and case compared.fund when 'all' then not variant.is_new_fund else compared.fund = variant.fund end
    and variant.account_stage = compared.account_stage
cross join {{ ref('stg_setting') }} as setting
left join {{ ref('int_region__date') }} as region
    on region.reference_geography = compared.reference_geography
    and region.as_of_date = compared.as_of_date
    and region.region_code = compared.region_code
