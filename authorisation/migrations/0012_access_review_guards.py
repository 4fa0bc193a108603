"""Access reviews are evidence: never deleted, never asked differently; a line moves only by a word that counts, or with the close."""

from datetime import UTC, datetime
from typing import Any, ClassVar

from django.db import migrations

from authorisation.domain.access_review import KIND
from authorisation.domain.policy import CLAIM_S, POLICIES
from authorisation.domain.review_transitions import LINE_PAIRS, OPEN, REVIEW_PAIRS, UNREVIEWED
from journal.triggers import append_only, never_deleted, state_pairs

SINCE = datetime(2000, 1, 1, tzinfo=UTC)
REVIEW, LINE = "authorisation_accessreview", "authorisation_reviewline"
WHAT_WAS_ASKED = (
    "scope", "scope_name", "reason", "opened_by_id", "opened_at", "deadline_at", "lines_total", "snapshot_digest",
)  # fmt: skip
WHAT_WAS_FOUND = (
    *(
        "review_id",
        "number",
        "kind",
        "role",
        "user_id",
        "right_name",
        "on_object",
        "key_id",
        "title",
        "desk_id",
        "person_id",
    ),
    *("barred_id", "origin", "granted_by", "granted_at", "last_used_on", "last_seen_on", "conflicts", "dormant"),
)
WORD_COUNTS = (
    """
CREATE FUNCTION authorisation_review_word_counts() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    line authorisation_reviewline;
BEGIN
    SELECT * INTO line FROM authorisation_reviewline WHERE id = NEW.line_id;
    IF NOT EXISTS (SELECT FROM authorisation_accessreview WHERE id = line.review_id AND state = 'open') THEN
        RAISE EXCEPTION 'the access review is not open: no word counts' USING ERRCODE = 'restrict_violation';
    END IF;
    IF NEW.reviewer_id IN (line.user_id, line.person_id, line.barred_id) OR (line.user_id IS NULL AND EXISTS (
        SELECT FROM authorisation_user_groups ug JOIN auth_group g ON g.id = ug.group_id
         WHERE ug.user_id = NEW.reviewer_id AND g.name = line.role)) THEN
        RAISE EXCEPTION 'nobody reviews what is their own or what they gave' USING ERRCODE = 'restrict_violation';
    END IF;
    IF NOT EXISTS (SELECT FROM authorisation_reviewassignment a WHERE a.review_id = line.review_id
                      AND a.reviewer_id = NEW.reviewer_id AND a.desk_id IS NOT DISTINCT FROM line.desk_id) THEN
        RAISE EXCEPTION 'the line is not this reviewer''s' USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER authorisation_review_word_counts BEFORE INSERT ON authorisation_reviewword
FOR EACH ROW EXECUTE FUNCTION authorisation_review_word_counts()
""",
    (
        "DROP TRIGGER authorisation_review_word_counts ON authorisation_reviewword; "
        "DROP FUNCTION authorisation_review_word_counts()"
    ),
)
LINE_STANDS = (
    """
CREATE FUNCTION authorisation_review_line_stands() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    standing text;
BEGIN
    SELECT state INTO standing FROM authorisation_accessreview WHERE id = NEW.review_id;
    IF NEW.state IN ('kept', 'removed') THEN
        IF standing <> 'open' OR NOT EXISTS (
            SELECT FROM authorisation_reviewword w WHERE w.line_id = NEW.id AND w.reviewer_id = NEW.said_by_id
               AND w.verdict = CASE NEW.state WHEN 'kept' THEN 'keep' ELSE 'remove' END) THEN
            RAISE EXCEPTION 'no reviewer said so about this line' USING ERRCODE = 'restrict_violation';
        END IF;
    ELSIF standing <> 'closing' THEN
        RAISE EXCEPTION 'lines end with the close alone' USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER authorisation_review_line_stands BEFORE UPDATE ON authorisation_reviewline
FOR EACH ROW WHEN (NEW.state IS DISTINCT FROM OLD.state) EXECUTE FUNCTION authorisation_review_line_stands()
""",
    (
        "DROP TRIGGER authorisation_review_line_stands ON authorisation_reviewline; "
        "DROP FUNCTION authorisation_review_line_stands()"
    ),
)
CLOSE_APPROVED = (
    """
CREATE FUNCTION authorisation_review_close_approved() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NOT EXISTS (SELECT FROM authorisation_authorisationrequest r WHERE r.id = NEW.close_request
                      AND r.kind = 'access_review' AND r.subject_id = NEW.id::text AND r.state = 'approved') THEN
        RAISE EXCEPTION 'a second person closes an access review' USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER authorisation_review_close_approved BEFORE UPDATE ON authorisation_accessreview
FOR EACH ROW WHEN (NEW.state = 'closed' AND OLD.state <> 'closed') EXECUTE FUNCTION authorisation_review_close_approved()
""",
    (
        "DROP TRIGGER authorisation_review_close_approved ON authorisation_accessreview; "
        "DROP FUNCTION authorisation_review_close_approved()"
    ),
)


def first_policy(apps: Any, schema_editor: Any) -> None:
    """Who decides about a close, in a house that has its first policies already."""
    policy_model, first = apps.get_model("authorisation", "ApprovalPolicy"), POLICIES[KIND]
    if not policy_model.objects.filter(kind=KIND).exists():
        policy_model.objects.create(
            kind=KIND,
            version=1,
            checkers=first.checkers,
            right=first.right,
            patience_s=int(first.patience.total_seconds()),
            claim_s=CLAIM_S,
            stops_clock=False,
            effective_from=SINCE,
        )


class Migration(migrations.Migration):
    dependencies: ClassVar = [("authorisation", "0011_access_reviews"), ("journal", "0002_guards")]

    operations: ClassVar = [
        migrations.RunPython(first_policy, migrations.RunPython.noop),
        migrations.RunSQL(*never_deleted(REVIEW)),
        migrations.RunSQL(
            *state_pairs(REVIEW, column="state", initial=[OPEN], pairs=REVIEW_PAIRS, frozen=WHAT_WAS_ASKED)
        ),
        migrations.RunSQL(*CLOSE_APPROVED),
        migrations.RunSQL(*never_deleted(LINE)),
        migrations.RunSQL(
            *state_pairs(LINE, column="state", initial=[UNREVIEWED], pairs=LINE_PAIRS, frozen=WHAT_WAS_FOUND)
        ),
        migrations.RunSQL(*LINE_STANDS),
        migrations.RunSQL(*append_only("authorisation_reviewassignment")),
        migrations.RunSQL(*append_only("authorisation_reviewword")),
        migrations.RunSQL(*WORD_COUNTS),
    ]
