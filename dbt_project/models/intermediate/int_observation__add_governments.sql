-- Yearly figures of whole regions. A measure of governments' own level (aggregation `own_level`) is replaced by the sum
-- over the region's own government and all those below it: what is spent in a city is more than what its city hall
-- spends. Every government of a level that reports the series must report it, and every level there must report the
-- measure; else the region has no figure.
{% set series = ['measure', 'year', 'period_end', 'population_basis', 'population_source', 'residence', 'sex',
                 'age_group', 'group_code', 'item'] %}

with own as (
    select
        observation.*,
        region.government_level
    from {{ ref('int_observation__select_years') }} as observation
    inner join {{ ref('int_region__date') }} as region
        on region.as_of_date = observation.period_end
        and region.region_code = observation.region_code
    where observation.aggregation = 'own_level' and region.government_level is not null
),

governments as (
    select
        tree.as_of_date,
        tree.ancestor_code,
        region.government_level,
        count(*) as governments
    from {{ ref('int_region__tree') }} as tree
    inner join {{ ref('int_region__date') }} as region
        on region.as_of_date = tree.as_of_date
        and region.region_code = tree.region_code
    where region.government_level is not null
    group by tree.as_of_date, tree.ancestor_code, region.government_level
),

-- how many governments must report: those of the levels that report the series at all
wanted as (
    select
        governments.ancestor_code,
        {% for column in series %}
        levels.{{ column }},
        {% endfor %}
        sum(governments.governments) as governments
    from (select distinct {{ series | join(', ') }}, government_level from own) as levels
    inner join governments
        on governments.as_of_date = levels.period_end
        and governments.government_level = levels.government_level
    group by
        governments.ancestor_code,
        {% for column in series %}
        levels.{{ column }}{% if not loop.last %},{% endif %}

        {% endfor %}
),

silent as (
    select distinct governments.ancestor_code, governments.as_of_date, reported.measure
    from governments
    inner join (select distinct measure, period_end from own) as reported
        on reported.period_end = governments.as_of_date
    left join (select distinct measure, period_end, government_level from own) as levels
        on levels.measure = reported.measure
        and levels.period_end = reported.period_end
        and levels.government_level = governments.government_level
    where levels.measure is null
),

summed as (
    select
        tree.ancestor_code as region_code,
        {% for column in series %}
        own.{{ column }},
        {% endfor %}
        {{ exact_sum('own.value') }} as value,
        count(own.value) as governments,
        {{ status_of_rows('own.obs_status') }} as letters,
        {{ provenance_of_rows('own.provenance') }} as provenance,
        max(own.extract_rank) as extract_rank
    from own
    inner join {{ ref('int_region__tree') }} as tree
        on tree.as_of_date = own.period_end
        and tree.region_code = own.region_code
    group by
        tree.ancestor_code,
        {% for column in series %}
        own.{{ column }}{% if not loop.last %},{% endif %}

        {% endfor %}
)

select
    region_code,
    {% for column in series %}
    {{ column }},
    {% endfor %}
    value,
    obs_status,
    provenance,
    derivation,
    extract_rank
from {{ ref('int_observation__select_years') }}
where aggregation <> 'own_level'

union all

select
    summed.region_code,
    {% for column in series %}
    summed.{{ column }},
    {% endfor %}
    summed.value,
    {{ ranked_status('summed.letters', 'summed.value') }} as obs_status,
    summed.provenance,
    case when summed.governments > 1 then 'summed' else 'reported' end as derivation,
    summed.extract_rank
from summed
inner join wanted
    on wanted.ancestor_code = summed.region_code
    {% for column in series %}
    and wanted.{{ column }} = summed.{{ column }}
    {% endfor %}
    and wanted.governments = summed.governments
left join silent
    on silent.ancestor_code = summed.region_code
    and silent.as_of_date = summed.period_end
    and silent.measure = summed.measure
where silent.measure is null
