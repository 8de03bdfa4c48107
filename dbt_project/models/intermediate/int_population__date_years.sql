-- The populations that financial years are divided by, as numbers of their series (`of_year`): of those that are reported
-- or derived the one dated in the year that is nearest to the time the jurisdiction wants, and where none is, the nearest
-- there is, as an estimate (E). It is never one of other land under the same code.
with series as (
    select * from {{ ref('int_observation__number_series') }}
    where is_population and is_within_year
),

dated as (
    select region_code, series_number, value, obs_status, provenance, derivation, extract_rank
    from {{ ref('int_observation__roll_up') }}
    where is_population and is_within_year

    union all

    select region_code, series_number, value, obs_status, provenance, derivation, extract_rank
    from {{ ref('int_population__derive') }}
),

placed as (
    select
        dated.*,
        of_year.series_number as of_year_number,
        source.period_end as population_date,
        source.period_end between of_year.year_start and of_year.year_end as is_inside,
        row_number() over (
            partition by of_year.series_number, dated.region_code
            order by
                case when dated.value is null then 1 else 0 end,
                {{ nearness_to_year('source.period_end', 'of_year.year_start', 'of_year.year_end',
                                    'setting.financial_year_population') }},
                case dated.derivation when 'reported' then 0 when 'estimated' then 2 else 1 end,
                dated.extract_rank,
                source.boundaries
        ) as place
    from series as of_year
    inner join series as source
        on source.derived <> 'of_year'
        {% for column in ['reference_geography', 'measure', 'population_source', 'population_basis', 'residence', 'sex',
                          'age_group', 'group_code', 'item'] %}
        and source.{{ column }} = of_year.{{ column }}
        {% endfor %}
    inner join dated
        on dated.series_number = source.series_number
    cross join {{ ref('stg_setting') }} as setting
    left join {{ ref('int_region__land_changes') }} as land
        on of_year.reference_geography = 'reported'
        and land.region_code = dated.region_code
        and land.effective_date > least(source.period_end, of_year.year_end)
        and land.effective_date <= greatest(source.period_end, of_year.year_end)
    where of_year.derived = 'of_year' and land.region_code is null
)

select
    region_code,
    of_year_number as series_number,
    series_number as dated_number,
    value,
    case
        when is_inside then obs_status
        else {{ ranked_status(dbt.concat(['obs_status', "'E'"]), 'value') }}
    end as obs_status,
    provenance,
    case when is_inside then derivation else 'estimated' end as derivation,
    extract_rank,
    population_date
from placed
where place = 1
