{#- Which of several editions speaks for a year when one must: as for attainment in mart_service_coverage. -#}

{% macro main_editions(years, targets) -%}
    {#- A query: `year`, `edition`: the edition whose last target year is the first that is not over, else the last that
        was; of several the last in alphabetical order. `years` is a relation with a column `year`, `targets` the targets. -#}
    select year, edition
    from (
        select
            years.year,
            editions.edition,
            row_number() over (
                partition by years.year
                order by
                    case when editions.target_year >= years.year then 0 else 1 end,
                    abs(editions.target_year - years.year),
                    editions.edition desc
            ) as place
        from (select distinct year from {{ years }}) as years
        cross join (
            select edition, max(target_year) as target_year
            from {{ targets }}
            group by edition
        ) as editions
    ) as placed
    where place = 1
{%- endmacro %}
