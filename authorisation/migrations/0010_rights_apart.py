"""Rights that do not mix are refused by the database too, and rights belong to roles, never to single people."""

from typing import ClassVar

from django.db import migrations, models

from authorisation.domain.toxic import trigger_rows
from authorisation.guards import ROLES_ONLY, TOXIC_TRIGGERS, toxic_table


class Migration(migrations.Migration):
    dependencies: ClassVar = [
        ("auth", "0012_alter_user_first_name_max_length"),
        ("authorisation", "0009_sessions"),
        ("guardian", "0001_initial"),
    ]

    operations: ClassVar = [
        migrations.RunSQL(*toxic_table(trigger_rows())),
        migrations.RunSQL(*TOXIC_TRIGGERS),
        migrations.RunSQL(*ROLES_ONLY),
        migrations.AddConstraint(
            model_name="user",
            constraint=models.CheckConstraint(
                condition=models.Q(is_superuser=False, is_staff=False), name="authorisation_no_rights_by_flag"
            ),
        ),
        migrations.AlterModelOptions(
            name="user",
            options={
                "permissions": [
                    ("administer_accounts", "May open accounts and move money by hand"),
                    ("administer_users", "May administer people, roles, keys and grants"),
                    ("see_access", "May see who may do what, since when and by whom"),
                ],
                "verbose_name": "user",
                "verbose_name_plural": "users",
            },
        ),
    ]
