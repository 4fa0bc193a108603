"""A sign-off is said once and whole: who, when and what belong together, and none of them ever changes."""

from django.db import migrations, models

GUARD = """
CREATE FUNCTION reconciliation_run_sign_off_once() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.signed_by <> '' AND (NEW.signed_by, NEW.signed_at, NEW.sign_off)
       IS DISTINCT FROM (OLD.signed_by, OLD.signed_at, OLD.sign_off) THEN
        RAISE EXCEPTION 'a sign-off of a run never changes' USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER reconciliation_run_sign_off_once BEFORE UPDATE ON reconciliation_run
    FOR EACH ROW EXECUTE FUNCTION reconciliation_run_sign_off_once()
"""
UNGUARD = """
DROP TRIGGER reconciliation_run_sign_off_once ON reconciliation_run;
DROP FUNCTION reconciliation_run_sign_off_once()
"""


class Migration(migrations.Migration):
    dependencies = [("reconciliation", "0006_file_brought_again")]
    operations = [
        migrations.AddConstraint(
            model_name="run",
            constraint=models.CheckConstraint(
                condition=models.Q(signed_by="", signed_at__isnull=True, sign_off="")
                | models.Q(~models.Q(signed_by=""), ~models.Q(sign_off=""), signed_at__isnull=False),
                name="reconciliation_run_signed_whole",
            ),
        ),
        migrations.RunSQL(GUARD, UNGUARD),
    ]
