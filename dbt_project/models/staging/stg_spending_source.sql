-- Measures that spending is taken from. Classes that are exhaustive are all there are; a class figure is of the whole
-- region or of each government's own level, as its measure is.
select
    spending.measure,
    spending.role,
    spending.fund,
    spending.account_stage,
    coalesce(spending.exhaustive, false) as is_exhaustive,
    measure.aggregation,
    measure.may_be_negative
from {{ source('source', 'spending_source') }} as spending
left join {{ source('source', 'measure') }} as measure
    on measure.measure = spending.measure
