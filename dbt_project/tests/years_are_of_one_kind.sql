{{ config(
    meta={'severity': 'block', 'owner': '数据管理 / data steward',
          'why': 'a calendar year and a financial year of one name would be told as the same year'},
) }}
select measure, year, count(distinct year_start) as kinds
from {{ ref('int_observation__number_series') }}
where not is_population and is_within_year
group by measure, year
having count(distinct year_start) > 1
