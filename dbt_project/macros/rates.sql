{#- Rates of events and their intervals (docs/methods/rates.md). x events, n people; limits at 95 % or 99.8 %.

    Sources: Breslow and Day (1987) for Byar's approximation; Dobson, Kuulasmaa, Eberle and Scherer (1991) for
    standardised rates; the reference implementation is R's PHEindicatormethods. For full counts an interval expresses
    natural variation, not sampling error. -#}

{% macro poisson_quantiles() -%}
    {#- Limits of a count of 0 to 9 events: half the quantile of chi-square at (1 - level) / 2 with 2x degrees of freedom
        below, and at 1 - (1 - level) / 2 with 2x + 2 above. They are constants; a test holds them against scipy. -#}
    {{ return({
        '0.95': {
            'z': '1.959963984540054e0',
            'low': ['0e0', '0.025317807984289876e0', '0.24220927854396496e0', '0.6186721228956014e0',
                    '1.0898653736263249e0', '1.6234863901184207e0', '2.2018942534908508e0', '2.8143630515198654e0',
                    '3.4538321767485014e0', '4.115373097378334e0'],
            'high': ['3.6888794541139354e0', '5.571643390938898e0', '7.22468766772396e0', '8.767273069742323e0',
                     '10.241588675403694e0', '11.66833207932267e0', '13.059474022518685e0', '14.422675361702376e0',
                     '15.763189220193313e0', '17.084803451419166e0'],
        },
        '0.998': {
            'z': '3.090232306167813e0',
            'low': ['0e0', '0.001000500333583534e0', '0.045402017769489544e0', '0.1905333775684032e0',
                    '0.428552413628423e0', '0.7393717319178323e0', '1.1071046602556394e0', '1.5203362603988093e0',
                    '1.9708139217403657e0', '2.452424404363775e0'],
            'high': ['6.907755278982137e0', '9.233413476451585e0', '11.228872242412661e0', '13.06224077918807e0',
                     '14.79414922253721e0', '16.454745203680105e0', '18.061636840199064e0', '19.626177395384232e0',
                     '21.15619816583998e0', '22.65737330906293e0'],
        },
    }) }}
{%- endmacro %}

{% macro byar_low(x, level='0.95') -%}
    {#- Byar's approximation, from 10 events on: x (1 - 1/(9x) - z / (3 sqrt x))^3. -#}
    {%- set z = junheng.poisson_quantiles()[level].z -%}
    {%- set xd = 'cast(' ~ x ~ ' as double)' -%}
    {{ xd }} * power(1e0 - {{ junheng.divide('1', '9e0 * ' ~ xd) }} - {{ junheng.divide(z, '3e0 * sqrt(' ~ xd ~ ')') }}, 3)
{%- endmacro %}

{% macro byar_high(x, level='0.95') -%}
    {#- With x + 1 in the place of x, and the sign of z turned. -#}
    {%- set z = junheng.poisson_quantiles()[level].z -%}
    {%- set xd = '(cast(' ~ x ~ ' as double) + 1e0)' -%}
    {{ xd }} * power(1e0 - {{ junheng.divide('1', '9e0 * ' ~ xd) }} + {{ junheng.divide(z, '3e0 * sqrt(' ~ xd ~ ')') }}, 3)
{%- endmacro %}

{% macro poisson_limit(x, side, level='0.95') -%}
    {#- Limit of a count: exact below 10 (whole numbers only), Byar's from 10 on; null for a negative count or a part of
        one. -#}
    {%- set quantiles = junheng.poisson_quantiles()[level] -%}
    case
        {%- for limit in quantiles[side] %}
        when {{ x }} = {{ loop.index0 }} then {{ limit }}
        {%- endfor %}
        when {{ x }} >= 10 then {{ junheng.byar_low(x, level) if side == 'low' else junheng.byar_high(x, level) }}
    end
{%- endmacro %}

{% macro poisson_low(x, level='0.95') -%}
    {{ junheng.poisson_limit(x, 'low', level) }}
{%- endmacro %}

{% macro poisson_high(x, level='0.95') -%}
    {{ junheng.poisson_limit(x, 'high', level) }}
{%- endmacro %}

{% macro standardised_rate(share, x, n) -%}
    {#- Aggregate over age bands: sum(w x / n), the weights w of the standard population as shares that add up to 1.
        Undefined where a band has nobody or a count is missing: it must be stated as zero to be one. -#}
    case
        when count(*) > count({{ x }}) or count(*) > count({{ n }}) or min({{ n }}) <= 0 then null
        else {{ junheng.stable_sum(share ~ ' * ' ~ junheng.divide(x, n)) }}
    end
{%- endmacro %}

{% macro standardised_variance(share, x, n, everybody) -%}
    {#- Aggregate: variance of the rate, sum(w^2 x / n^2). `everybody` is the sum of n, the same in every row: it brings
        the terms to about one before they are summed. -#}
    case
        when count(*) > count({{ x }}) or count(*) > count({{ n }}) or min({{ n }}) <= 0 then null
        else {{ junheng.divide(junheng.divide(
            junheng.stable_sum(share ~ ' * ' ~ share ~ ' * cast(' ~ x ~ ' as double) * '
                ~ junheng.divide(everybody, n) ~ ' * ' ~ junheng.divide(everybody, n)),
            'max(' ~ everybody ~ ')'), 'max(' ~ everybody ~ ')') }}
    end
{%- endmacro %}

{% macro dobson_limit(rate, variance, x, side, level='0.95') -%}
    {#- Scalar: rate + sqrt(variance / X) (Byar(X) - X), X all events. Not given below 10 events. -#}
    case
        when {{ x }} >= 10 then {{ rate }} + sqrt({{ junheng.divide(variance, x) }})
            * ({{ junheng.byar_low(x, level) if side == 'low' else junheng.byar_high(x, level) }} - cast({{ x }} as double))
    end
{%- endmacro %}

{% macro indirect_ratio_limit(observed, expected, side, level='0.95') -%}
    {#- Scalar: limit of observed over expected; the ratio itself is `divide`. Undefined where nothing is expected. -#}
    {{ junheng.divide(junheng.poisson_limit(observed, side, level), expected) }}
{%- endmacro %}

{% macro quantile_of_areas(rank, areas, quantiles, direction) -%}
    {#- Scalar: the quantile (1 the best) of an area by its rank from the lowest value up (ties share the smallest):
        floor((q + 1) - ceil((N + 1 - r) / (N / q))), where 0 becomes 1, turned round where higher is better. Missing
        where there are fewer areas than quantiles. -#}
    {%- set plain = 'greatest(1, cast(floor(' ~ (quantiles + 1) ~ ' - ceil('
        ~ junheng.divide('(' ~ areas ~ ' + 1 - ' ~ rank ~ ') * ' ~ quantiles, areas) ~ ')) as integer))' -%}
    case
        when {{ areas }} < {{ quantiles }} or {{ rank }} is null then null
        when {{ direction }} = 'higher' then {{ quantiles + 1 }} - {{ plain }}
        when {{ direction }} = 'lower' then {{ plain }}
    end
{%- endmacro %}

{% macro funnel_proportion_limit(baseline, n, side, level='0.95') -%}
    {#- Scalar: the proportions of n whose Wilson interval just meets the baseline, b -+ z sqrt(b (1 - b) / n), kept
        within 0 and 1. Undefined for nobody and for a baseline of 0 or 1, around which nothing varies. -#}
    {%- set z = junheng.poisson_quantiles()[level].z -%}
    case
        when {{ n }} > 0 and {{ baseline }} > 0 and {{ baseline }} < 1 then
            {% if side == 'low' %}greatest(0e0, {{ baseline }} - {% else %}least(1e0, {{ baseline }} + {% endif -%}
            {{ z }} * sqrt({{ junheng.divide(baseline ~ ' * (1e0 - ' ~ baseline ~ ')', n) }}))
    end
{%- endmacro %}

{% macro funnel_ratio_limit(expected, side, level='0.95') -%}
    {#- Scalar: limits of observed over expected around 1 by the expected count: exact for a whole number below 10,
        Byar's from 10 on. Undefined where nothing is expected. -#}
    case when {{ expected }} > 0 then {{ junheng.divide(junheng.poisson_limit(expected, side, level), expected) }} end
{%- endmacro %}
