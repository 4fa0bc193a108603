"""Blocks are never deleted; the firm's marks for prices exist from the start, because a missing mark refuses."""

from decimal import Decimal

from django.db import migrations

FORWARDS = """
CREATE FUNCTION risk_refuse_delete() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'a block is lifted, never deleted' USING ERRCODE = 'check_violation';
END $$;
CREATE TRIGGER risk_block_keep BEFORE DELETE ON risk_block
    FOR EACH STATEMENT EXECUTE FUNCTION risk_refuse_delete();
"""
BACKWARDS = """
DROP TRIGGER risk_block_keep ON risk_block;
DROP FUNCTION risk_refuse_delete();
"""


def set_marks(apps, schema_editor):
    limit = apps.get_model("risk", "Limit")
    for kind, warn, hard in (("price_collar", "0.10", "0.30"), ("price_age", "15", "3600")):
        limit.objects.get_or_create(
            scope="firm",
            scope_id="",
            kind=kind,
            currency="",
            defaults={"warn": Decimal(warn), "hard": Decimal(hard), "owner": "risk"},
        )


def keep_marks(apps, schema_editor):
    """Marks may have been changed since; going back leaves them."""


class Migration(migrations.Migration):
    dependencies = [("risk", "0001_initial")]

    operations = [migrations.RunSQL(FORWARDS, BACKWARDS), migrations.RunPython(set_marks, keep_marks)]
