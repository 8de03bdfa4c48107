-- How much figures are revised: per measure, and per indicator (or users of a domain) over the figures that its
-- numerator and denominator are made of. Relative revisions leave out what was zero or missing before.
with by_subject as (
    select 'measure' as subject_kind, measure as subject_code, revision.*
    from {{ ref('mart_revision') }} as revision

    union all

    select
        case when term.indicator_code like 'per_user.%' then 'per_user' else 'indicator' end,
        term.indicator_code, revision.*
    from {{ ref('mart_revision') }} as revision
    inner join (select distinct indicator_code, measure from {{ source('source', 'indicator_term') }}) as term
        on term.measure = revision.measure
),

counted as (
    select
        subject_kind,
        subject_code,
        vintage_kind,
        count(*) as revisions,
        count(revision_pct) as relative_revisions,
        -- per cent are scaled to shares and summed exactly: no order of rows changes the result
        {{ stable_sum('revision_pct * 0.01e0') }} as sum_of_shares,
        {{ stable_sum('abs(revision_pct) * 0.01e0') }} as sum_of_absolute_shares,
        {{ provenance_of_rows('provenance') }} as provenance
    from by_subject
    group by subject_kind, subject_code, vintage_kind
)

select
    subject_kind,
    subject_code,
    vintage_kind,
    cast(revisions as integer) as revisions,
    cast(relative_revisions as integer) as relative_revisions,
    100e0 * {{ divide('sum_of_shares', 'relative_revisions') }} as mean_revision_pct,
    100e0 * {{ divide('sum_of_absolute_shares', 'relative_revisions') }} as mean_absolute_revision_pct,
    provenance
from counted
