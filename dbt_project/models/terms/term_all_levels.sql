-- What a number of a government's own level is made of as a statement about the whole region: those of every government in it.
select
    {{ value_id('value.series_number', 'tree.ancestor_code') }} as figure_id,
    'part' as role,
    'value' as input_kind,
    {{ value_id('value.series_number', 'value.region_code') }} as input_id,
    1e0 as weight
from {{ ref('int_observation__select_years') }} as value
inner join {{ ref('int_region__tree') }} as tree
    on tree.reference_geography = value.reference_geography
    and tree.as_of_date = value.as_of_date
    and tree.region_code = value.region_code
where value.aggregation = 'own_level'
