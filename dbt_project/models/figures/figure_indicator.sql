-- The figures of indicators in every variant, and by breakdown. An indicator is about the population that its line names
-- (`denominator_population`), of the source that it names, then that of `main`, then the others; about everybody before
-- parts of the people. Where an indicator knows parts only, the one part it knows stands for `all` (its definition says
-- so); of several none does. One choice holds for all regions and years of a list of regions: what is compared is about
-- the same people. A variant takes another basis or source where the indicator is about the one that `main` has.
{% set parts = {'residence': 'total', 'sex': 'all', 'age_group': 'all', 'group_code': 'all'} %}

with variants as (
    select variants.*, main.population_basis as main_basis, main.population_source as main_source
    from {{ variants_of('indicator') }} as variants
    inner join {{ variants_of('indicator') }} as main
        on main.is_main
),

cells as (
    select distinct
        reference_geography, indicator_code, population_basis, population_source, {{ parts | join(', ') }}
    from {{ ref('int_indicator__compute') }}
),

placed as (
    select
        cells.*,
        count(*) over (
            partition by cells.reference_geography, cells.indicator_code, cells.population_basis, cells.population_source
        ) as cells_alike
    from cells
    cross join (select population_source as main_source from {{ variants_of('indicator') }} as main where is_main) as main
    inner join {{ source('source', 'indicator') }} as indicator
        on indicator.indicator_code = cells.indicator_code
        and (
            -- a denominator that is no count of people is about nobody's basis, whatever the line names
            cells.population_basis in (indicator.denominator_population, 'none')
            or (indicator.denominator_population is null and cells.population_basis <> 'registered')
        )
    qualify row_number() over (
        partition by cells.reference_geography, cells.indicator_code
        order by
            case when cells.population_basis = indicator.denominator_population then 0 else 1 end,
            case cells.population_basis when 'none' then 0 when 'target_group' then 1 else 2 end,
            case when cells.population_source = indicator.population_source then 0 else 1 end,
            {{ source_rank('cells.population_source', 'main.main_source') }},
            {% for part, whole in parts.items() %}
            case when cells.{{ part }} = '{{ whole }}' then 0 else 1 end,
            cells.{{ part }}{{ ',' if not loop.last }}
            {% endfor %}
    ) = 1
),

wanted as (
    select
        variants.variant,
        placed.reference_geography,
        placed.indicator_code,
        case when variants.is_new_population_basis then variants.population_basis else placed.population_basis end
            as population_basis,
        case when variants.is_new_population_source then variants.population_source else placed.population_source end
            as population_source,
        {% for part in parts %}
        placed.{{ part }} as whole_{{ part }},
        {% endfor %}
        placed.cells_alike = 1
        or (
            {% for part, whole in parts.items() %}
            {{ 'and ' if not loop.first }}placed.{{ part }} = '{{ whole }}'
            {% endfor %}
        ) as has_whole
    from placed
    inner join variants
        on variants.boundaries = placed.reference_geography
        and (not variants.is_new_population_basis or placed.population_basis = variants.main_basis)
        and (not variants.is_new_population_source or placed.population_source = variants.main_source)
)

select
    wanted.variant,
    region.region_id,
    case
        when wanted.has_whole
            {% for part in parts %}
            and figure.{{ part }} = wanted.whole_{{ part }}
            {% endfor %}
            then 'all'
        else {{ breakdown('figure.residence', 'figure.sex', 'figure.age_group', 'figure.group_code') }}
    end as breakdown,
    figure.*
from wanted
inner join {{ ref('int_indicator__score_targets') }} as figure
    on figure.reference_geography = wanted.reference_geography
    and figure.indicator_code = wanted.indicator_code
    and figure.population_basis = wanted.population_basis
    and figure.population_source = wanted.population_source
inner join {{ ref('int_region__date') }} as region
    on region.reference_geography = figure.reference_geography
    and region.as_of_date = figure.as_of_date
    and region.region_code = figure.region_code
