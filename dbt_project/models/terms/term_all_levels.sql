-- What a number of a government's own level is made of as a statement about the whole region: those of every government in
-- it; of a region without a government of its own, what is reported of it.
with values_of_governments as (
    select value.series_number, value.region_code, value.reference_geography, value.as_of_date,
        region.government_level is not null as is_own_level
    from {{ ref('int_observation__select_years') }} as value
    left join {{ ref('int_region__date') }} as region
        on region.reference_geography = value.reference_geography
        and region.as_of_date = value.as_of_date
        and region.region_code = value.region_code
    where
        value.aggregation = 'own_level'
        and value.series_number in (
            select series_number from {{ ref('int_indicator__list_terms') }}
            union all
            select whole_series from {{ ref('int_spending__choose_whole') }} where whole_series is not null
        )
)

select
    'all_levels' as figure_kind, {{ value_id('value.series_number', 'tree.ancestor_code') }} as figure_id,
    'part' as role,
    'value' as input_kind,
    {{ value_id('value.series_number', 'value.region_code') }} as input_id,
    1e0 as weight
from values_of_governments as value
inner join {{ ref('int_region__tree') }} as tree
    on tree.reference_geography = value.reference_geography
    and tree.as_of_date = value.as_of_date
    and tree.region_code = value.region_code
left join values_of_governments as stated
    on not stated.is_own_level
    and stated.series_number = value.series_number
    and stated.region_code = tree.ancestor_code
where
    case when value.is_own_level then stated.region_code is null else tree.ancestor_code = value.region_code end

order by figure_kind, figure_id, role, input_kind, input_id
