-- Spending per user of a domain's services (per pupil, per patient) where the domain's line says how they are counted, of the
-- same list of regions, year and part of the people; in every variant of spending. Users are counted on one basis everywhere:
-- that of none or of a target group before that of residents.
with users as (
    select
        indicator_code, reference_geography, region_code, year_start, residence, population_basis, population_source,
        denominator as users, letters, is_partial_year, provenance
    from {{ ref('int_indicator__combine_terms') }}
    where
        indicator_code like 'per_user.%'
        and is_pair
        and sex = 'all'
        and age_group = 'all'
        and group_code = 'all'
    qualify dense_rank() over (
        partition by indicator_code, reference_geography
        order by
            case population_basis when 'none' then 0 when 'target_group' then 1 when 'resident' then 2 else 3 end,
            {{ source_rank('population_source', "'none'") }}
    ) = 1
),

per_user as (
    select
        spending.*,
        spending.spending is null or spending.residence = 'unattributed' as is_spending_short,
        users.users,
        users.population_basis as users_basis,
        users.population_source as users_source,
        users.letters as users_letters,
        coalesce(users.is_partial_year, false) as is_partial_count,
        {{ provenance_of(['spending.spending_provenance', 'users.provenance']) }} as figure_provenance,
        {{ divide('spending.spending', 'users.users') }} as per_user
    from {{ ref('figure_spending') }} as spending
    inner join {{ source('source', 'domain') }} as domain
        on domain.domain = spending.domain
        and domain.users is not null
    left join users
        on users.indicator_code = {{ dbt.concat(["'per_user.'", 'spending.domain']) }}
        and users.reference_geography = spending.reference_geography
        and users.region_code = spending.region_code
        and users.year_start = spending.year_start
        and users.residence = spending.residence
        and spending.residence <> 'unattributed'
)

select
    {{ dbt.concat(["'per_user.'", 'domain']) }} as subject_code,
    variant, region_id, region_code, reference_geography, as_of_date, year, year_start, domain, residence,
    government_levels, takes_other_people, spending, users, users_basis, users_source,
    per_user,
    -- whether anybody tells these users apart
    count(users) over (partition by domain, residence) > 0 as is_part_counted,
    case
        when is_spending_short then obs_status
        when users = 0 then 'M'
        else {{ status_of_year(joined_statuses(['spending_status', 'users_letters']), 'per_user', 'is_partial_count') }}
    end as obs_status,
    case
        when per_user is not null then null
        when is_spending_short then undefined_reason
        when users = 0 then 'users_are_zero'
        when users_letters like '%Q%' then 'suppressed'
        when is_partial_count then 'partial_year'
        else 'users_missing'
    end as undefined_reason,
    figure_provenance as provenance
from per_user
