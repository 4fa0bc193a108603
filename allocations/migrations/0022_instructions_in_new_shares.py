"""An instruction may be what another was, in the shares of a corporate action; the other says until when its shares were those."""

from typing import ClassVar

import django.db.models.deletion
from django.contrib.postgres.operations import AddConstraintNotValid
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies: ClassVar = [("allocations", "0021_buy_in_bearer"), ("refdata", "0010_tick_holds")]

    operations: ClassVar = [
        migrations.AddField(
            model_name="settlementinstruction",
            name="action",
            field=models.ForeignKey(
                help_text="For which it transforms that",
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="refdata.corporateaction",
            ),
        ),
        migrations.AddField(
            model_name="settlementinstruction",
            name="of_qty",
            field=models.DecimalField(
                decimal_places=8, help_text="Units of the other that were open, in its shares", max_digits=24, null=True
            ),
        ),
        migrations.AddField(
            model_name="settlementinstruction",
            name="shares_until",
            field=models.DateTimeField(
                help_text="It was transformed: what changed hands from then on did so in other shares", null=True
            ),
        ),
        migrations.AddField(
            model_name="settlementinstruction",
            name="taken_into",
            field=models.JSONField(
                db_default=models.Value([], models.JSONField()),
                default=list,
                help_text="Actions whose shares it is in, by id",
            ),
        ),
        migrations.AddField(
            model_name="settlementinstruction",
            name="transforms",
            field=models.ForeignKey(
                help_text="What it is in other shares",
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="transformed_by",
                to="allocations.settlementinstruction",
            ),
        ),
        AddConstraintNotValid(
            model_name="settlementinstruction",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("action__isnull", True), ("of_qty__isnull", True), ("transforms__isnull", True)),
                    models.Q(("action__isnull", False), ("of_qty__gt", 0), ("transforms__isnull", False)),
                    _connector="OR",
                ),
                name="allocations_instruction_transforms_whole",
            ),
        ),
        AddConstraintNotValid(
            model_name="settlementinstruction",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("shares_until__isnull", True), ("state__in", ["settled", "canceled"]), _connector="OR"
                ),
                name="allocations_instruction_transformed_ends",
            ),
        ),
    ]
