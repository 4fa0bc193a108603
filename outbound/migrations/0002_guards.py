"""What was approved stays as it was, states move along their table, nothing of it is deleted; a try is never changed."""

from django.db import migrations

from journal.triggers import never_deleted, state_pairs
from outbound.domain.transitions import PAIRS, PAUSED

ATTEMPTS = (
    """
CREATE FUNCTION outbound_attempt_kept() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP <> 'DELETE' THEN
        RAISE EXCEPTION '% on % is denied: a try is what was done', TG_OP, TG_TABLE_NAME
            USING ERRCODE = 'restrict_violation';
    END IF;
    IF OLD.tried_at > now() - interval '30 days' THEN
        RAISE EXCEPTION 'a delivery attempt is kept at least 30 days' USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN OLD;
END $$;
CREATE TRIGGER outbound_deliveryattempt_kept BEFORE DELETE ON outbound_deliveryattempt
    FOR EACH ROW EXECUTE FUNCTION outbound_attempt_kept();
CREATE TRIGGER outbound_deliveryattempt_unchanged BEFORE UPDATE OR TRUNCATE ON outbound_deliveryattempt
    FOR EACH STATEMENT EXECUTE FUNCTION outbound_attempt_kept()
""",
    """
DROP TRIGGER outbound_deliveryattempt_unchanged ON outbound_deliveryattempt;
DROP TRIGGER outbound_deliveryattempt_kept ON outbound_deliveryattempt;
DROP FUNCTION outbound_attempt_kept()
""",
)
APPROVED = ("id", "name", "user_id", "url", "kinds", "desks", "authorisation_id", "created_at")


class Migration(migrations.Migration):
    dependencies = [("outbound", "0001_webhooks"), ("journal", "0001_initial")]
    operations = [
        migrations.RunSQL(*ATTEMPTS),
        migrations.RunSQL(*never_deleted("outbound_subscription")),
        migrations.RunSQL(*never_deleted("outbound_subscriptionsecret")),
        migrations.RunSQL(
            *state_pairs("outbound_subscription", column="state", initial=[PAUSED], pairs=PAIRS, frozen=APPROVED)
        ),
    ]
