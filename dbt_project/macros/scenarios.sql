{#- The fixed set of points at which weights are varied together in sensitivity: nothing is drawn at random. -#}

{% macro scenario_factor(point, dimension) -%}
    {#- 0.75 to 1.25: a Kronecker sequence, fractional parts of point x square root of a prime, evenly spread in as many
        dimensions as there are primes. `dimension` counts from 1. -#}
    {%- set primes = [2, 3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37, 41, 43, 47, 53, 59, 61, 67, 71] -%}
    0.75e0 + 0.5e0 * (
        {{ point }} * sqrt(case ({{ dimension }} - 1) % {{ primes | length }} {% for prime in primes %}when {{ loop.index0 }} then {{ prime }}e0 {% endfor %}end)
        - floor({{ point }} * sqrt(case ({{ dimension }} - 1) % {{ primes | length }} {% for prime in primes %}when {{ loop.index0 }} then {{ prime }}e0 {% endfor %}end))
    )
{%- endmacro %}
