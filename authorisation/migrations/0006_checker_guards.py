"""The database itself keeps maker and checker apart, counts the people an approval needs, and keeps every version asked.

``authorisation_person_behind`` says which person acts behind a user or a key. Triggers write it into requests and
decisions, whatever the application says. A request is approved only with enough decisions of different people about the
version that stands, declined only with one. Policies are append-only and come from approved requests; the first are the
owner's.
"""

from datetime import UTC, datetime
from typing import Any, ClassVar

from django.db import migrations

from authorisation.domain.policy import CLAIM_S, POLICIES
from authorisation.domain.transitions import PAIRS, PENDING
from journal.triggers import append_only, state_pairs

REQUEST = "authorisation_authorisationrequest"
SINCE = datetime(2000, 1, 1, tzinfo=UTC)
BEFORE = (("pending", "approved"), ("pending", "not_applied"), ("pending", "declined"), ("pending", "lapsed"), ("pending", "withdrawn"))  # fmt: skip
FROZEN_BEFORE = (
    *("kind", "subject_type", "subject_id", "subject_version", "payload", "payload_hash", "maker_id", "created_at"),
)
FROZEN = (
    *("kind", "subject_type", "subject_id", "desk_id", "maker_id", "maker_person_id", "maker_for_id", "on_behalf_of"),
    *("policy_id", "right", "checkers", "created_at"),
)
ASKED = ("version", "subject_version", "payload", "payload_hash", "summary", "reasons", "value", "currency", "answer")

PERSON_BEHIND = """
CREATE FUNCTION authorisation_person_behind(actor text) RETURNS bigint STABLE LANGUAGE sql AS $$
    SELECT coalesce(u.responsible_id, u.id)
      FROM authorisation_user u
     WHERE u.id = CASE
           WHEN actor ~ '^user:[0-9]+$' THEN substr(actor, 6)::bigint
           WHEN actor ~ '^key:[0-9a-f-]{36}$' THEN (SELECT k.user_id FROM authorisation_apikey k WHERE k.id::text = substr(actor, 5))
           END
$$
"""

REQUEST_PEOPLE = f"""
CREATE FUNCTION authorisation_request_people() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.maker_person_id := authorisation_person_behind('user:' || NEW.maker_id);
    NEW.maker_for_id := authorisation_person_behind(NEW.on_behalf_of);
    IF NEW.version <> 1 THEN
        RAISE EXCEPTION 'a request begins with its first version' USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER {REQUEST}_people BEFORE INSERT ON {REQUEST} FOR EACH ROW EXECUTE FUNCTION authorisation_request_people()
"""

DECISION_GUARD = f"""
CREATE FUNCTION authorisation_decision_guard() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    r {REQUEST}%ROWTYPE;
BEGIN
    SELECT * INTO r FROM {REQUEST} WHERE id = NEW.request_id FOR NO KEY UPDATE;
    IF r.state NOT IN ('pending', 'claimed') OR NEW.version <> r.version OR NEW.payload_hash <> r.payload_hash THEN
        RAISE EXCEPTION 'a decision is about what waits now' USING ERRCODE = 'restrict_violation';
    END IF;
    IF r.policy_id IS NULL THEN
        RAISE EXCEPTION 'no policy says who may decide' USING ERRCODE = 'restrict_violation';
    END IF;
    IF (SELECT u.kind FROM authorisation_user u WHERE u.id = NEW.checker_id) IS DISTINCT FROM 'person' THEN
        RAISE EXCEPTION 'only a person decides' USING ERRCODE = 'restrict_violation';
    END IF;
    NEW.maker_id := r.maker_id;
    NEW.maker_person_id := r.maker_person_id;
    NEW.maker_for_id := r.maker_for_id;
    NEW.checker_person_id := authorisation_person_behind('user:' || NEW.checker_id);
    NEW.checker_for_id := authorisation_person_behind(NEW.on_behalf_of);
    RETURN NEW;
END $$;
CREATE TRIGGER authorisation_decision_guard BEFORE INSERT ON authorisation_decision
    FOR EACH ROW EXECUTE FUNCTION authorisation_decision_guard()
"""  # noqa: S608

_ASKED_MOVED = " OR ".join(f"NEW.{name} IS DISTINCT FROM OLD.{name}" for name in ASKED)
REQUEST_MOVES = f"""
CREATE FUNCTION authorisation_request_moves() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF ({_ASKED_MOVED}) AND NOT (
       OLD.state = 'sent_back' AND NEW.state = 'pending' AND NEW.version = OLD.version + 1
       AND NEW.payload_hash <> OLD.payload_hash
       AND EXISTS (SELECT FROM authorisation_requestversion v WHERE v.request_id = OLD.id AND v.version = OLD.version
                      AND v.payload_hash = OLD.payload_hash AND v.payload = OLD.payload)) THEN
        RAISE EXCEPTION '% keeps what was asked', TG_TABLE_NAME USING ERRCODE = 'restrict_violation';
    END IF;
    IF NEW.state IN ('approved', 'not_applied') AND NEW.state <> OLD.state AND NEW.checkers > (
       SELECT count(DISTINCT d.checker_person_id) FROM authorisation_decision d
        WHERE d.request_id = OLD.id AND d.version = OLD.version AND d.verdict = 'approve') THEN
        RAISE EXCEPTION 'an approval needs the word of % people', NEW.checkers USING ERRCODE = 'restrict_violation';
    END IF;
    IF NEW.state = 'declined' AND NEW.state <> OLD.state AND NOT EXISTS (
       SELECT FROM authorisation_decision d
        WHERE d.request_id = OLD.id AND d.version = OLD.version AND d.verdict = 'decline') THEN
        RAISE EXCEPTION 'a refusal needs the word of a person' USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER {REQUEST}_moves BEFORE UPDATE ON {REQUEST} FOR EACH ROW EXECUTE FUNCTION authorisation_request_moves()
"""  # noqa: S608

POLICY_BY_REQUEST = """
CREATE FUNCTION authorisation_policy_by_request() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF pg_has_role(current_user, (SELECT relowner FROM pg_class WHERE oid = TG_RELID), 'USAGE') THEN RETURN NEW; END IF;
    IF NEW.change_id IS NULL OR NOT EXISTS (
       SELECT FROM authorisation_authorisationrequest r
        WHERE r.id = NEW.change_id AND r.kind = 'policy_change' AND r.state = 'approved'
          AND r.payload ->> 'kind' = NEW.kind) THEN
        RAISE EXCEPTION 'a policy comes from an approved request only' USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER authorisation_policy_by_request BEFORE INSERT ON authorisation_approvalpolicy
    FOR EACH ROW EXECUTE FUNCTION authorisation_policy_by_request()
"""

# Requests that wait while the house is changed are decided by the first policies; what was decided keeps its people.
BACKFILL = f"""
UPDATE {REQUEST} r
   SET maker_person_id = authorisation_person_behind('user:' || r.maker_id), policy_id = p.id, "right" = p."right"
  FROM authorisation_approvalpolicy p
 WHERE p.kind = r.kind;
ALTER TABLE authorisation_decision DISABLE TRIGGER authorisation_decision_append_only;
UPDATE authorisation_decision d
   SET maker_person_id = authorisation_person_behind('user:' || d.maker_id),
       checker_person_id = authorisation_person_behind('user:' || d.checker_id);
SET CONSTRAINTS ALL IMMEDIATE;
SET CONSTRAINTS ALL DEFERRED;
ALTER TABLE authorisation_decision ENABLE TRIGGER authorisation_decision_append_only
"""  # noqa: S608


def first_policies(apps: Any, schema_editor: Any) -> None:
    """One row for each kind the code knows and no row speaks of; nothing that stands is touched."""
    policy_model = apps.get_model("authorisation", "ApprovalPolicy")
    known = set(policy_model.objects.values_list("kind", flat=True))
    policy_model.objects.bulk_create(
        policy_model(
            kind=policy.kind,
            version=1,
            checkers=policy.checkers,
            right=policy.right,
            patience_s=int(policy.patience.total_seconds()),
            claim_s=CLAIM_S,
            stops_clock=False,
            effective_from=SINCE,
        )
        for policy in POLICIES.values()
        if policy.kind not in known
    )


def _swap(forward: tuple[str, str]) -> tuple[str, str]:
    return forward[1], forward[0]


class Migration(migrations.Migration):
    dependencies: ClassVar = [("authorisation", "0005_checkers")]

    operations: ClassVar = [
        migrations.RunPython(first_policies, migrations.RunPython.noop),
        migrations.RunSQL(PERSON_BEHIND, "DROP FUNCTION authorisation_person_behind(text)"),
        migrations.RunSQL(BACKFILL, migrations.RunSQL.noop),
        migrations.RunSQL(
            *_swap(state_pairs(REQUEST, column="state", initial=[PENDING], pairs=BEFORE, frozen=FROZEN_BEFORE))
        ),
        migrations.RunSQL(*state_pairs(REQUEST, column="state", initial=[PENDING], pairs=PAIRS, frozen=FROZEN)),
        migrations.RunSQL(
            REQUEST_PEOPLE,
            f"DROP TRIGGER {REQUEST}_people ON {REQUEST}; DROP FUNCTION authorisation_request_people()",
        ),
        migrations.RunSQL(
            REQUEST_MOVES, f"DROP TRIGGER {REQUEST}_moves ON {REQUEST}; DROP FUNCTION authorisation_request_moves()"
        ),
        migrations.RunSQL(
            DECISION_GUARD,
            "DROP TRIGGER authorisation_decision_guard ON authorisation_decision; DROP FUNCTION authorisation_decision_guard()",
        ),
        migrations.RunSQL(
            POLICY_BY_REQUEST,
            "DROP TRIGGER authorisation_policy_by_request ON authorisation_approvalpolicy; "
            "DROP FUNCTION authorisation_policy_by_request()",
        ),
        migrations.RunSQL(*append_only("authorisation_approvalpolicy")),
        migrations.RunSQL(*append_only("authorisation_requestversion")),
    ]
