{% test revisions_end_in_force(model) %}
    {#- The value after the last revision of a figure is the one that counts within its extract today. -#}
    with last_steps as (
        select department, extract, measure, region_code, row_key, value_after, receipt_id
        from (
            select
                revision.*,
                row_number() over (partition by revision.row_key order by receipt.sequence desc) as place
            from {{ model }} as revision
            inner join {{ source('source', 'receipt') }} as receipt
                on receipt.receipt_id = revision.receipt_id
        ) as placed
        where place = 1
    ),

    in_force as (
        select
            observation.department, observation.extract, observation.measure, observation.region_code,
            {{ figure_key('observation', 'observation') }} as row_key,
            observation.value
        from {{ ref('stg_observation') }} as observation
        inner join {{ ref('int_observation__rank_vintages') }} as ranked
            on ranked.observation_id = observation.observation_id
            and ranked.is_latest
        inner join (select distinct department, extract from last_steps) as wanted
            on wanted.department = observation.department
            and wanted.extract = observation.extract
    )

    select last_steps.*, in_force.value
    from last_steps
    left join in_force
        on in_force.row_key = last_steps.row_key
    where
        (in_force.value is null) <> (last_steps.value_after is null)
        or in_force.value <> last_steps.value_after
{% endtest %}
