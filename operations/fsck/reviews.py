"""Access reviews: each line stands as it was last said, each close is what its event tells and a second person approved."""

from __future__ import annotations

from operations.fsck.check import Check, Level

_LINES = """
WITH last AS (
     SELECT DISTINCT ON (w.line_id) w.line_id, w.reviewer_id, w.verdict, w.reason
       FROM authorisation_reviewword w ORDER BY w.line_id, w.said_at DESC, w.id DESC
), lines AS (
     SELECT format('line %s of access review %s', l.number, l.review_id) AS subject, l.*, r.state AS review_state,
            w.reviewer_id, w.verdict, w.reason
       FROM authorisation_reviewline l JOIN authorisation_accessreview r ON r.id = l.review_id
       LEFT JOIN last w ON w.line_id = l.id
)
SELECT subject, format('says %s by user %s, and the last word is %s by user %s', state, said_by_id, verdict, reviewer_id) AS what
  FROM lines
 WHERE (said_by_id, said_why) IS DISTINCT FROM (reviewer_id, coalesce(reason, ''))
    OR (state IN ('kept', 'removed', 'unreviewed') AND state <> CASE verdict WHEN 'keep' THEN 'kept' WHEN 'remove' THEN 'removed'
        ELSE 'unreviewed' END)
    OR (state = 'ended' AND verdict IS DISTINCT FROM 'remove') OR (state = 'lapsed' AND verdict IS NOT NULL)
 UNION ALL
SELECT subject, format('is %s in a review that is %s', state, review_state)
  FROM lines WHERE (state IN ('unreviewed', 'removed')) AND review_state = 'closed'
                OR (state IN ('ended', 'lapsed', 'held', 'gone')) AND review_state <> 'closed'
 UNION ALL
SELECT subject, 'was reviewed by whose access it is, or by who gave it'
  FROM lines WHERE said_by_id IN (user_id, person_id, barred_id)
"""

_CLOSES = """
WITH counts AS (
     SELECT review_id, jsonb_object_agg(state, number) AS counts, sum(number) AS total
       FROM (SELECT review_id, state, count(*) AS number FROM authorisation_reviewline GROUP BY review_id, state) s
      GROUP BY review_id
), told AS (
     SELECT DISTINCT ON (e.stream) e.stream, (e.payload)::jsonb AS payload
       FROM journal_event e WHERE e.kind = 'AccessReviewClosed' ORDER BY e.stream, e.seq DESC
), reviews AS (
     SELECT format('access review %s', r.id) AS subject, r.*, c.counts, c.total, t.payload, q.state AS request_state,
            o.payload AS opening
       FROM authorisation_accessreview r
       LEFT JOIN counts c ON c.review_id = r.id
       LEFT JOIN told t ON t.stream = format('access_review:%s', r.id)
       LEFT JOIN journal_event o ON o.stream = format('access_review:%s', r.id) AND o.seq = 1
       LEFT JOIN authorisation_authorisationrequest q ON q.id = r.close_request AND q.subject_id = r.id::text
)
SELECT subject, format('holds %s lines and opened with %s', total, lines_total) AS what
  FROM reviews WHERE total IS DISTINCT FROM lines_total
 UNION ALL
SELECT subject, 'opened with other lines than its event tells'
  FROM reviews WHERE opening::jsonb ->> 'snapshot_digest' IS DISTINCT FROM snapshot_digest
 UNION ALL
SELECT subject, format('is closed with %s, and its event tells %s', counts, payload -> 'counts')
  FROM reviews
 WHERE state = 'closed' AND (payload -> 'counts' IS DISTINCT FROM counts OR payload ->> 'outcome_digest' IS DISTINCT FROM outcome_digest)
 UNION ALL
SELECT subject, format('is %s and the request for its close is %s', state, coalesce(request_state, 'not there'))
  FROM reviews WHERE (state = 'closed' AND request_state IS DISTINCT FROM 'approved') OR (state <> 'closed' AND request_state = 'approved')
 UNION ALL
SELECT subject, 'is told to be closed and is not' FROM reviews WHERE state <> 'closed' AND payload IS NOT NULL
"""

CHECKS = (
    Check(
        "REVIEW_LINE_DIFFERS", "I10", Level.EXCEPTIONS,
        "Every line of an access review stands as its last word says, was not reviewed by whose it is, and ended only with the close.",
        "Compare authorisation_reviewline with authorisation_reviewword and the events AccessLineReviewed of the review.",
        sql=_LINES,
    ),
    Check(
        "REVIEW_CLOSE_DIFFERS", "I10", Level.EXCEPTIONS,
        "An access review holds the lines it opened with, and is closed exactly when a second person approved, as its event tells.",
        "Read the stream access_review:<id>, then compare the evidence file kept outside with the review's lines.",
        sql=_CLOSES,
    ),
)  # fmt: skip
