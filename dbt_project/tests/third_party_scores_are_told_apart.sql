{{ config(
    meta={'severity': 'block', 'owner': '指标管理 / indicator owner',
          'why': 'a score of somebody else must never pass for one of ours'},
) }}
select score.region_code, score.year, score.domain, score.method_id, score.score
from {{ source('source', 'third_party_score') }} as score
where
    score.method_id in ('{{ var('score_methods') | join("', '") }}')
    or score.score not between 0 and 100
