-- What the money of a region is made of, down to what extracts report (int_spending__*).
with accounts as (
    select * from {{ ref('int_spending__sum_domains') }}
),

classes as (
    select * from {{ ref('int_spending__map_classes') }}
),

wholes as (
    select * from {{ ref('int_spending__choose_whole') }}
),

levels as (
    select * from {{ ref('int_spending__add_levels') }}
)

-- all levels together of each of them
select
    {{ money_id("'all'", 'levels') }} as figure_id, 'part' as role, 'money' as input_kind,
    {{ money_id('levels.government_level', 'levels') }} as input_id, 1e0 as weight
from levels
inner join wholes
    on wholes.region_code = levels.region_code
    and wholes.reference_geography = levels.reference_geography
    and wholes.year_start = levels.year_start
    and wholes.fund = levels.fund
    and wholes.account_stage = levels.account_stage
    and wholes.residence = levels.residence
    and wholes.domain = levels.domain
    and wholes.government_level = 'all'
    and wholes.origin = 'functional'
where levels.government_level <> 'all'

union all

-- a level of the governments of that level in the region
select
    {{ money_id('accounts.government_level', 'accounts', 'ancestor_code') }}, 'part', 'account',
    {{ money_id('accounts.government_level', 'accounts') }}, 1e0
from (
    select accounts.*, tree.ancestor_code
    from accounts
    inner join {{ ref('int_region__tree') }} as tree
        on tree.reference_geography = accounts.reference_geography
        and tree.as_of_date = accounts.as_of_date
        and tree.region_code = accounts.region_code
    where accounts.government_level <> 'all'
) as accounts

union all

-- the account of a government of its classes
select
    {{ money_id('accounts.government_level', 'accounts') }}, 'part', 'value',
    {{ value_id('classes.series_number', 'classes.region_code') }}, 1e0
from accounts
inner join classes
    on classes.region_code = accounts.region_code
    and classes.government_level = accounts.government_level
    and classes.reference_geography = accounts.reference_geography
    and classes.year_start = accounts.year_start
    and classes.fund = accounts.fund
    and classes.account_stage = accounts.account_stage
    and classes.residence = accounts.residence
    and (
        accounts.domain = classes.domain
        or (accounts.domain = 'basic' and classes.is_basic)
        or (accounts.domain = 'all' and classes.is_exhaustive)
    )
