"""A break that a repair closed, or that was accepted, names the approved request about it."""

from typing import ClassVar

from django.db import migrations

GUARD = """
CREATE FUNCTION reconciliation_break_approved() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NOT EXISTS (SELECT FROM authorisation_authorisationrequest r WHERE r.id = NEW.request_id AND r.kind = 'break_repair'
                      AND r.state = 'approved' AND r.payload -> 'breaks' ? NEW.id::text) THEN
        RAISE EXCEPTION 'a break is % by an approved request about it', coalesce(nullif(NEW.closed_as, ''), NEW.state)
            USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER reconciliation_break_approved BEFORE UPDATE ON reconciliation_break FOR EACH ROW
    WHEN ((NEW.state = 'accepted' AND OLD.state <> 'accepted')
          OR (NEW.closed_as IN ('repaired', 'written_off') AND OLD.closed_as <> NEW.closed_as))
    EXECUTE FUNCTION reconciliation_break_approved()
"""
UNGUARD = """
DROP TRIGGER reconciliation_break_approved ON reconciliation_break; DROP FUNCTION reconciliation_break_approved()
"""


class Migration(migrations.Migration):
    dependencies: ClassVar = [
        ("reconciliation", "0009_intake_guards"),
        ("authorisation", "0024_reconciliation_policies"),
    ]

    operations: ClassVar = [migrations.RunSQL(GUARD, UNGUARD)]
