"""A request knows the account group it is about. Once it does, it keeps it: nobody moves it into sight."""

from typing import ClassVar

from django.db import migrations, models

REQUEST = "authorisation_authorisationrequest"
KEPT = f"""
CREATE FUNCTION authorisation_request_group_kept() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% keeps what was asked', TG_TABLE_NAME USING ERRCODE = 'restrict_violation';
END $$;
CREATE TRIGGER {REQUEST}_group_kept BEFORE UPDATE ON {REQUEST} FOR EACH ROW
    WHEN (OLD.group_id IS NOT NULL AND NEW.group_id IS DISTINCT FROM OLD.group_id)
    EXECUTE FUNCTION authorisation_request_group_kept()
"""


class Migration(migrations.Migration):
    dependencies: ClassVar = [("authorisation", "0019_policies_of_more_kinds")]

    operations: ClassVar = [
        migrations.AddField("authorisationrequest", "group_id", models.BigIntegerField(null=True)),
        migrations.RunSQL(
            KEPT,
            f"DROP TRIGGER {REQUEST}_group_kept ON {REQUEST}; DROP FUNCTION authorisation_request_group_kept()",
        ),
    ]
