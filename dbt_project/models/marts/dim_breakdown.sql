-- The parts of the people that figures are about.
with parts as (
    select distinct
        {{ breakdown('residence', 'sex', 'age_group', 'group_code') }} as breakdown, residence, sex, age_group, group_code
    from {{ ref('figure_indicator') }}
    where breakdown <> 'all'

    union

    select {{ breakdown('residence', "'all'", "'all'", "'all'") }}, residence, 'all', 'all', 'all'
    from (select distinct residence from {{ ref('figure_spending') }} where residence <> 'unattributed') as spending

    union

    select {{ breakdown('residence', 'sex', 'age_group', "'all'") }}, residence, sex, age_group, 'all'
    from (select distinct residence, sex, age_group from {{ ref('int_population__choose') }}) as population
)

select
    breakdown,
    case when breakdown = 'all' then '全体' else trim({{ dbt.concat([
        "case residence when 'urban' then '城镇 ' when 'rural' then '乡村 ' else '' end",
        "case sex when 'male' then '男 ' when 'female' then '女 ' else '' end",
        "case age_group when 'all' then '' else " ~ dbt.concat(['age_group', "'岁 '"]) ~ " end",
        "case group_code when 'all' then '' else group_code end"]) }}) end as name_zh,
    case when breakdown = 'all' then 'Everybody' else trim({{ dbt.concat([
        "case residence when 'urban' then 'urban ' when 'rural' then 'rural ' else '' end",
        "case sex when 'male' then 'male ' when 'female' then 'female ' else '' end",
        "case age_group when 'all' then '' else " ~ dbt.concat(["'aged '", 'age_group', "' '"]) ~ " end",
        "case group_code when 'all' then '' else group_code end"]) }}) end as name_en,
    residence,
    sex,
    age_group,
    group_code
from parts
