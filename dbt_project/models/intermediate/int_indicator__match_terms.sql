-- The value of each term of each indicator's numerator and denominator, per region, year and kept dimension.
-- A term sums the combinations it lists; one that is missing makes the term missing. Where several measures stand for
-- the same thing (the term `population`), one figure is taken: a number before a gap, reported before summed, then by
-- rank.
with combinations as (
    select
        indicator_code,
        part,
        term_number,
        count(distinct residence || '|' || sex || '|' || age_group || '|' || group_code || '|' || item) as combinations
    from {{ ref('stg_indicator_term') }}
    group by indicator_code, part, term_number
),

matched as (
    select
        term.indicator_code,
        term.part,
        term.term_number,
        term.coefficient,
        observation.region_code,
        observation.year,
        observation.period_end,
        observation.population_basis,
        observation.population_source,
        case when term.out_residence = '*' then observation.residence else term.out_residence end as residence,
        case when term.out_sex = '*' then observation.sex else term.out_sex end as sex,
        case when term.out_age_group = '*' then observation.age_group else term.out_age_group end as age_group,
        case when term.out_group = '*' then observation.group_code else term.out_group end as group_code,
        observation.value,
        observation.obs_status,
        observation.provenance,
        observation.derivation,
        row_number() over (
            partition by
                term.indicator_code, term.part, term.term_number, observation.region_code, observation.year,
                observation.population_basis, observation.population_source, observation.residence, observation.sex,
                observation.age_group, observation.group_code, observation.item
            order by
                case when observation.value is null then 1 else 0 end,
                case when observation.derivation = 'reported' then 0 else 1 end,
                observation.extract_rank,
                observation.measure
        ) as place
    from {{ ref('stg_indicator_term') }} as term
    inner join {{ ref('int_indicator__consolidate_levels') }} as observation
        on observation.measure = term.measure
        and (term.age_group = '*' or observation.age_group = term.age_group)
        and (term.item = '*' or observation.item = term.item)
        and (term.residence = '*' or observation.residence = term.residence)
        and (term.sex = '*' or observation.sex = term.sex)
        and (term.group_code = '*' or observation.group_code = term.group_code)
        and (term.population_basis = '*' or observation.population_basis = term.population_basis)
        and (
            term.population_source = '*'
            or observation.population_source = 'none'
            or observation.population_source = term.population_source
        )
)

select
    matched.indicator_code,
    matched.part,
    matched.term_number,
    matched.region_code,
    matched.year,
    matched.population_basis,
    matched.population_source,
    matched.residence,
    matched.sex,
    matched.age_group,
    matched.group_code,
    max(matched.period_end) as period_end,
    case
        when count(matched.value) = max(combinations.combinations)
            then {{ exact_sum('matched.coefficient * matched.value') }}
    end as value,
    {{ status_of_rows('matched.obs_status') }} as letters,
    {{ provenance_of_rows('matched.provenance') }} as provenance,
    {{ derivation_of_rows('matched.derivation') }} as derivation
from matched
inner join combinations
    on combinations.indicator_code = matched.indicator_code
    and combinations.part = matched.part
    and combinations.term_number = matched.term_number
where matched.place = 1
group by
    matched.indicator_code, matched.part, matched.term_number, matched.region_code, matched.year,
    matched.population_basis, matched.population_source, matched.residence, matched.sex, matched.age_group,
    matched.group_code
