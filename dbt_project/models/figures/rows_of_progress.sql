-- How far each region is from each target, in every variant: the last target of the edition that is in force in that year,
-- or that its variant names; of an edition of milestones that of the year.
with variants as (
    select * from {{ variants_of('progress') }}
),

editions as (
    {{ main_editions(ref('int_score__place_regions'), ref('stg_target')) }}
)

select
    variants.variant,
    {{ region_columns('progress') }},
    {{ period_columns('progress') }},
    progress.indicator_code,
    indicator.name_zh as indicator_name_zh,
    indicator.name_en as indicator_name_en,
    indicator.domain,
    indicator.service,
    indicator.lead_department,
    progress.unit,
    progress.direction,
    {% for column in ['value', 'target_value', 'target_year', 'edition', 'target_origin', 'attainment', 'ratio_to_target',
                      'attainment_note', 'expected_attainment', 'is_target_met', 'is_behind', 'people_behind_target',
                      'base_year', 'base_value', 'yearly_change', 'years_to_target', 'years_to_target_note'] %}
    progress.{{ column }},
    {% endfor %}
    progress.obs_status,
    'F' as conf_status,
    progress.provenance,
    progress.reference_geography as boundaries,
    progress.as_of_date as boundaries_date
from {{ ref('figure_progress') }} as progress
left join editions
    on editions.year = progress.year
inner join variants
    on variants.boundaries = progress.reference_geography
    and case variants.target_edition when 'in_force' then editions.edition else variants.target_edition end
        = progress.edition
    and case progress.target_kind when 'target' then progress.is_final_target else progress.target_year = progress.year end
inner join {{ source('source', 'indicator') }} as indicator
    on indicator.indicator_code = progress.indicator_code
{{ joins_region('progress') }}
