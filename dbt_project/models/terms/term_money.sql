-- What the money of a region is made of, down to what extracts report: all levels of government together, or the one figure
-- that is reported for the whole budget; a level, of the accounts of its governments; an account, of its classes. What is
-- attributed to neither town nor country, where nobody reports it, is the total less both.
{% set same_account = ['region_code', 'reference_geography', 'year_start', 'fund', 'account_stage', 'domain'] %}

with accounts as (
    select * from {{ ref('int_spending__sum_domains') }}
),

levels as (
    select * from {{ ref('int_spending__add_levels') }}
),

wholes as (
    select * from {{ ref('int_spending__choose_whole') }}
    where government_level = 'all'
),

-- each class with the domains that it counts for
members as (
    {% for domain, condition in [('domain', 'domain is not null'), ("'basic'", 'is_basic'), ("'all'", 'is_exhaustive')] %}
    select
        region_code, government_level, reference_geography, year_start, fund, account_stage, residence, series_number,
        {{ domain }} as domain
    from {{ ref('int_spending__map_classes') }}
    where {{ condition }}
    {{ 'union all' if not loop.last }}
    {% endfor %}
),

-- where a level of government reports itself what is attributed to neither town nor country
sets_apart as (
    select distinct reference_geography, year_start, fund, account_stage, government_level, domain
    from members
    where residence = 'unattributed'
),

-- the whole budget as one figure, with what stands beside it
reported as (
    select wholes.*, case when series.aggregation = 'own_level' then 'all_levels' else 'value' end as whole_kind
    from wholes
    inner join {{ ref('int_observation__number_series') }} as series
        on series.series_number = wholes.whole_series
    where wholes.origin = 'whole'
),

-- whatever is the sum of the levels: the money itself, or what the one figure was compared with
sums as (
    select 'money' as figure_kind, {{ same_account | join(', ') }}, year, residence
    from wholes
    where origin = 'functional'

    union all

    {% for residence in ['total', 'unattributed'] %}
    select 'functional', {{ same_account | join(', ') }}, year, '{{ residence }}'
    from reported
    where residence = 'unattributed' and not is_whole
    {{ 'union all' if not loop.last }}
    {% endfor %}
)

select
    sums.figure_kind, {{ money_id("'all'", 'sums') }} as figure_id, 'part' as role, 'money' as input_kind,
    {{ money_id('levels.government_level', 'levels') }} as input_id, 1e0 as weight
from sums
inner join levels
    on levels.government_level <> 'all'
    and levels.residence = sums.residence
    {% for column in same_account %}
    and levels.{{ column }} = sums.{{ column }}
    {% endfor %}

union all

-- what is reported of everybody
select
    sums.figure_kind, {{ money_id("'all'", 'sums') }}, 'part', 'account', {{ money_id("'all'", 'accounts') }}, 1e0
from sums
inner join accounts
    on accounts.government_level = 'all'
    and accounts.residence = sums.residence
    {% for column in same_account %}
    and accounts.{{ column }} = sums.{{ column }}
    {% endfor %}

union all

select
    'money', {{ money_id("'all'", 'reported') }}, 'reported', whole_kind, {{ value_id('whole_series', 'region_code') }}, 1e0
from reported

union all

{% for residence, weight in [('unattributed', '1e0'), ('total', '-1e0')] %}
select
    'money', {{ money_id("'all'", 'reported') }}, '{{ residence }}', 'functional',
    {{ money_id("'all'", 'reported', residence="'" ~ residence ~ "'") }}, {{ weight }}
from reported
where not is_whole

union all

{% endfor %}
-- a level, of the governments of that level in the region
select
    'money', {{ money_id('accounts.government_level', 'accounts', 'ancestor_code') }}, 'part', 'account',
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

-- the account of a government, of its classes
select
    'account', {{ money_id('accounts.government_level', 'accounts') }}, 'part', 'value',
    {{ value_id('members.series_number', 'members.region_code') }}, 1e0
from accounts
inner join members
    on members.government_level = accounts.government_level
    and members.residence = accounts.residence
    {% for column in same_account %}
    and members.{{ column }} = accounts.{{ column }}
    {% endfor %}

union all

-- what nobody attributes
select
    'account', {{ money_id('accounts.government_level', 'accounts') }}, part.residence, 'account',
    {{ money_id('part.government_level', 'part') }}, case part.residence when 'total' then 1e0 else -1e0 end
from accounts
inner join accounts as part
    on part.government_level = accounts.government_level
    and part.residence in ('total', 'urban', 'rural')
    {% for column in same_account %}
    and part.{{ column }} = accounts.{{ column }}
    {% endfor %}
left join sets_apart
    on sets_apart.reference_geography = accounts.reference_geography
    and sets_apart.year_start = accounts.year_start
    and sets_apart.fund = accounts.fund
    and sets_apart.account_stage = accounts.account_stage
    and sets_apart.government_level = accounts.government_level
    and sets_apart.domain = accounts.domain
where accounts.residence = 'unattributed' and sets_apart.domain is null

order by figure_kind, figure_id, role, input_kind, input_id
