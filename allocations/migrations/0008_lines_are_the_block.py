# What the lines of a block add up to, and lines that undo settled ones more than once.

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0023_bookings_by_allocation"),
        ("allocations", "0007_confirming"),
    ]

    operations = [
        migrations.RemoveConstraint(
            model_name="allocation",
            name="allocations_allocation_once",
        ),
        migrations.AddField(
            model_name="block",
            name="allocated_cash",
            field=models.DecimalField(db_default=0, decimal_places=8, default=0, max_digits=24),
        ),
        migrations.AddField(
            model_name="block",
            name="allocated_qty",
            field=models.DecimalField(
                db_default=0,
                decimal_places=8,
                default=0,
                help_text="Sum of its lines that stand, kept by the database alone",
                max_digits=24,
            ),
        ),
        migrations.AlterField(
            model_name="allocation",
            name="compensates",
            field=models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="compensations",
                to="allocations.allocation",
            ),
        ),
        migrations.AddConstraint(
            model_name="allocation",
            constraint=models.UniqueConstraint(
                condition=models.Q(
                    ("compensates__isnull", True), ("is_rounding", False), ("state__in", ["booked", "parked"])
                ),
                fields=("block", "account"),
                name="allocations_allocation_once",
            ),
        ),
    ]
