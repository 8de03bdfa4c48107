-- The whole budget of a region: as reported in one figure (of everybody in it, or by each government in it) where that
-- ranks at least as well as the sum of the functional classes of all governments in it, else that sum, where the classes
-- are all there are. Where both exist, what the one figure has more or less than the sum is attributed to neither urban
-- nor rural residents, so that the parts still add up. `whole_series` is the series of that one figure.
with functional as (
    select * from {{ ref('int_spending__add_levels') }}
),

whole as (
    select
        figure.region_code,
        figure.series_number,
        series.reference_geography,
        series.as_of_date,
        series.period_end,
        series.year,
        series.year_start,
        source.fund,
        source.account_stage,
        series.residence,
        figure.value,
        figure.obs_status,
        figure.is_partial_year,
        figure.provenance,
        figure.extract_rank,
        row_number() over (
            partition by
                figure.region_code, series.reference_geography, series.year_start, source.fund,
                source.account_stage, series.residence
            order by
                case when figure.value is null then 1 else 0 end,
                figure.extract_rank,
                series.measure,
                series.population_basis
        ) as place
    from {{ ref('int_indicator__consolidate_levels') }} as figure
    inner join {{ ref('int_observation__number_series') }} as series
        on series.series_number = figure.series_number
    inner join {{ ref('stg_spending_source') }} as source
        on source.measure = series.measure
        and source.role = 'whole'
    where
        series.sex = 'all'
        and series.age_group = 'all'
        and series.group_code = 'all'
        and series.item = 'all'
),

one_whole as (
    select * from whole where place = 1
),

everything as (
    select * from functional where domain = 'all' and government_level = 'all'
),

chosen as (
    select
        coalesce(one_whole.region_code, everything.region_code) as region_code,
        coalesce(one_whole.reference_geography, everything.reference_geography) as reference_geography,
        coalesce(one_whole.as_of_date, everything.as_of_date) as as_of_date,
        coalesce(one_whole.period_end, everything.period_end) as period_end,
        coalesce(one_whole.year, everything.year) as year,
        coalesce(one_whole.year_start, everything.year_start) as year_start,
        coalesce(one_whole.fund, everything.fund) as fund,
        coalesce(one_whole.account_stage, everything.account_stage) as account_stage,
        coalesce(one_whole.residence, everything.residence) as residence,
        one_whole.series_number as whole_series,
        one_whole.value as whole_value,
        one_whole.obs_status as whole_letters,
        one_whole.provenance as whole_provenance,
        one_whole.extract_rank as whole_rank,
        one_whole.is_partial_year as whole_is_partial,
        everything.value as functional_value,
        everything.letters as functional_letters,
        everything.provenance as functional_provenance,
        everything.extract_rank as functional_rank,
        everything.is_partial_year as functional_is_partial,
        everything.region_code is null
            or (
                one_whole.value is not null
                and (everything.value is null or one_whole.extract_rank <= everything.extract_rank)
            ) as is_whole
    from one_whole
    full outer join everything
        on everything.region_code = one_whole.region_code
        and everything.reference_geography = one_whole.reference_geography
        and everything.year_start = one_whole.year_start
        and everything.fund = one_whole.fund
        and everything.account_stage = one_whole.account_stage
        and everything.residence = one_whole.residence
),

totals as (
    select * from chosen where residence = 'total' and is_whole
),

settled as (
    select
        chosen.region_code,
        chosen.reference_geography,
        chosen.as_of_date,
        chosen.period_end,
        chosen.year,
        chosen.year_start,
        chosen.fund,
        chosen.account_stage,
        chosen.residence,
        case
            when chosen.is_whole then chosen.whole_value
            when chosen.residence = 'unattributed' and totals.region_code is not null
                then {{ exact('chosen.functional_value + totals.whole_value - totals.functional_value') }}
            else chosen.functional_value
        end as value,
        case when chosen.is_whole then chosen.whole_letters else chosen.functional_letters end as letters,
        case when chosen.is_whole then chosen.whole_series when chosen.residence = 'unattributed' then totals.whole_series end
            as whole_series,
        chosen.is_whole,
        coalesce(case when chosen.is_whole then chosen.whole_is_partial else chosen.functional_is_partial end, false)
            as is_partial_year,
        case
            when chosen.is_whole then chosen.whole_provenance
            else {{ provenance_of(['chosen.functional_provenance',
                                   "case when chosen.residence = 'unattributed' then totals.whole_provenance end"]) }}
        end as provenance,
        case
            when chosen.is_whole or (chosen.residence = 'unattributed' and totals.region_code is not null) then 'whole'
            else 'functional'
        end as origin
    from chosen
    left join totals
        on totals.region_code = chosen.region_code
        and totals.reference_geography = chosen.reference_geography
        and totals.year_start = chosen.year_start
        and totals.fund = chosen.fund
        and totals.account_stage = chosen.account_stage
)

select
    region_code, reference_geography, as_of_date, period_end, year, year_start, fund, account_stage,
    'all' as government_level, residence, 'all' as domain, value,
    {{ status_of_year('letters', 'value', 'is_partial_year') }} as obs_status,
    is_partial_year, provenance, origin, whole_series, is_whole
from settled

union all

select
    region_code, reference_geography, as_of_date, period_end, year, year_start, fund, account_stage, government_level,
    residence, domain, value,
    {{ status_of_year('letters', 'value', 'is_partial_year') }} as obs_status,
    is_partial_year, provenance, 'functional' as origin, null, false
from functional
where not (domain = 'all' and government_level = 'all')
