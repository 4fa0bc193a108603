"""Level 2: what waited for a second person was decided by one, by as many as it needed, and the journal says so."""

from __future__ import annotations

from operations.fsck.check import Check, Level

_UNDECIDED = """
SELECT 'authorisation request ' || r.id AS subject,
       format('is %s; %s people approved version %s and %s declined it, %s are needed', r.state, count(DISTINCT d.checker_person_id)
              FILTER (WHERE d.verdict = 'approve'), r.version, count(d.id) FILTER (WHERE d.verdict = 'decline'), r.checkers) AS what
  FROM authorisation_authorisationrequest r
  LEFT JOIN authorisation_decision d ON d.request_id = r.id AND d.version = r.version
 WHERE r.state IN ('approved', 'not_applied', 'declined')
 GROUP BY r.id
HAVING CASE WHEN r.state = 'declined' THEN count(d.id) FILTER (WHERE d.verdict = 'decline') < 1
            ELSE count(DISTINCT d.checker_person_id) FILTER (WHERE d.verdict = 'approve') < r.checkers END
"""

_OWN = """
SELECT 'authorisation request ' || r.id AS subject,
       format('was decided by person %s; its maker is person %s', d.checker_person_id, r.maker_person_id) AS what
  FROM authorisation_decision d JOIN authorisation_authorisationrequest r ON r.id = d.request_id
 WHERE d.checker_id = r.maker_id OR d.checker_person_id IN (r.maker_person_id, r.maker_for_id)
    OR d.checker_for_id IN (r.maker_person_id, r.maker_for_id) OR d.maker_person_id <> r.maker_person_id
"""

_VERSIONS = """
SELECT 'authorisation request ' || r.id AS subject,
       format('is at version %s and keeps %s earlier ones', r.version, count(v.id)) AS what
  FROM authorisation_authorisationrequest r
  LEFT JOIN authorisation_requestversion v ON v.request_id = r.id AND v.version < r.version
 WHERE r.version > 1 OR EXISTS (SELECT FROM authorisation_requestversion o WHERE o.request_id = r.id)
 GROUP BY r.id
HAVING count(v.id) <> r.version - 1
    OR (SELECT count(*) FROM authorisation_requestversion o WHERE o.request_id = r.id) <> r.version - 1
"""

# What the journal says last of a request is what it is; and every decision is told once, with the hash it was about.
_UNTOLD = """
WITH told AS (
     SELECT DISTINCT ON (stream) substr(stream, 15) AS id, kind, payload ->> 'state' AS decided
       FROM journal_event WHERE stream LIKE 'authorisation:%' AND kind <> 'SelfApprovalRefused'
      ORDER BY stream, seq DESC
), said AS (
     SELECT request_id::text AS id, verdict, payload_hash, count(*) AS n FROM authorisation_decision GROUP BY 1, 2, 3
), events AS (
     SELECT substr(stream, 15) AS id, payload ->> 'verdict' AS verdict, payload ->> 'payload_hash' AS payload_hash, count(*) AS n
       FROM journal_event WHERE stream LIKE 'authorisation:%' AND kind = 'AuthorisationDecided' GROUP BY 1, 2, 3
)
SELECT 'authorisation request ' || r.id AS subject, format('is %s; the journal says %s last', r.state, t.kind) AS what
  FROM authorisation_authorisationrequest r LEFT JOIN told t ON t.id = r.id::text
 WHERE r.state IS DISTINCT FROM CASE t.kind
       WHEN 'AuthorisationRaised' THEN 'pending' WHEN 'AuthorisationClaimed' THEN 'claimed'
       WHEN 'AuthorisationReleased' THEN 'pending' WHEN 'AuthorisationSentBack' THEN 'sent_back'
       WHEN 'AuthorisationResubmitted' THEN 'pending' WHEN 'AuthorisationDecided' THEN t.decided
       WHEN 'AuthorisationLapsed' THEN 'lapsed' WHEN 'AuthorisationWithdrawn' THEN 'withdrawn' END
UNION ALL
SELECT 'authorisation request ' || coalesce(s.id, e.id),
       format('keeps %s decisions (%s), the journal tells %s', coalesce(s.n, 0), coalesce(s.verdict, e.verdict), coalesce(e.n, 0))
  FROM said s FULL JOIN events e ON e.id = s.id AND e.verdict = s.verdict AND e.payload_hash = s.payload_hash
 WHERE coalesce(s.n, 0) <> coalesce(e.n, 0)
"""

_LOOK = "Treat it as an attack on the second person: stop trading of what it was about, and compare the journal with its seals."

CHECKS = (
    Check(
        "APPROVAL_WITHOUT_WORD", "I5", Level.ORDERS,
        "What was approved was approved by as many people as it needed; what was declined was declined by somebody.",
        _LOOK,
        sql=_UNDECIDED,
    ),
    Check(
        "APPROVAL_OF_ONES_OWN", "I5", Level.ORDERS,
        "Nobody decided what they, or whom they acted for, had asked for.",
        _LOOK,
        sql=_OWN,
    ),
    Check(
        "APPROVAL_VERSION_MISSING", "I5", Level.ORDERS,
        "Every earlier version of what was asked is kept.",
        _LOOK,
        sql=_VERSIONS,
    ),
    Check(
        "APPROVAL_UNTOLD", "I5", Level.ORDERS,
        "The journal tells every decision, and its last word on a request is the state the request is in.",
        _LOOK,
        sql=_UNTOLD,
    ),
)  # fmt: skip
