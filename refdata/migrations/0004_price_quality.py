"""The quality, sizes and phase of a price, and the feeds that vouch for it."""

from decimal import Decimal

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("refdata", "0003_fx_rates"),
    ]

    operations = [
        migrations.CreateModel(
            name="PriceSource",
            fields=[
                ("code", models.CharField(max_length=24, primary_key=True, serialize=False)),
                (
                    "session",
                    models.UUIDField(
                        help_text="The connection it speaks on; another one vouches for nothing old", null=True
                    ),
                ),
                ("heartbeat_at", models.DateTimeField(help_text="Its last word of any kind", null=True)),
                ("silent_since", models.DateTimeField(help_text="Set while it is silent in an open market", null=True)),
                ("silent_after_s", models.PositiveIntegerField(db_default=15, default=15)),
                (
                    "jump_band",
                    models.DecimalField(
                        db_default=Decimal("0.1000"),
                        decimal_places=4,
                        default=Decimal("0.1000"),
                        help_text="Fraction of the last good price beyond which a tick is suspect",
                        max_digits=6,
                    ),
                ),
                (
                    "confirming_ticks",
                    models.PositiveSmallIntegerField(
                        db_default=3, default=3, help_text="So many ticks near a suspect one make it good"
                    ),
                ),
            ],
        ),
        migrations.AddField(
            model_name="referenceprice",
            name="ask_size",
            field=models.DecimalField(decimal_places=8, max_digits=24, null=True),
        ),
        migrations.AddField(
            model_name="referenceprice",
            name="bid_size",
            field=models.DecimalField(decimal_places=8, max_digits=24, null=True),
        ),
        migrations.AddField(
            model_name="referenceprice",
            name="doubted_at",
            field=models.DateTimeField(help_text="When the doubted tick was made", null=True),
        ),
        migrations.AddField(
            model_name="referenceprice",
            name="doubted_last",
            field=models.DecimalField(decimal_places=8, max_digits=20, null=True),
        ),
        migrations.AddField(
            model_name="referenceprice",
            name="doubted_tick",
            field=models.UUIDField(null=True),
        ),
        migrations.AddField(
            model_name="referenceprice",
            name="phase",
            field=models.CharField(
                db_default="", default="", help_text="The venue's word; empty when untold", max_length=16
            ),
        ),
        migrations.AddField(
            model_name="referenceprice",
            name="quality",
            field=models.CharField(db_default="good", default="good", max_length=8),
        ),
        migrations.AddField(
            model_name="referenceprice",
            name="session",
            field=models.UUIDField(help_text="The feed's connection that last told or confirmed them", null=True),
        ),
        migrations.AddField(
            model_name="referenceprice",
            name="suspicion",
            field=models.CharField(
                db_default="", default="", help_text="Why the latest tick is doubted", max_length=24
            ),
        ),
        migrations.AddField(
            model_name="referenceprice",
            name="tick",
            field=models.UUIDField(help_text="The tick of these figures", null=True),
        ),
        migrations.AddField(
            model_name="referenceprice",
            name="witnesses",
            field=models.PositiveSmallIntegerField(
                db_default=0, default=0, help_text="Ticks that agree with the doubted"
            ),
        ),
        migrations.AddConstraint(
            model_name="referenceprice",
            constraint=models.CheckConstraint(
                condition=models.Q(("last__gt", 0)), name="refdata_referenceprice_positive"
            ),
        ),
        migrations.AddConstraint(
            model_name="referenceprice",
            constraint=models.CheckConstraint(
                condition=models.Q(("quality__in", ["good", "suspect", "missing"])),
                name="refdata_referenceprice_quality",
            ),
        ),
        migrations.AddConstraint(
            model_name="referenceprice",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("quality", "suspect"), models.Q(("doubted_tick__isnull", True), ("suspicion", "")), _connector="OR"
                ),
                name="refdata_referenceprice_doubt",
            ),
        ),
        migrations.AddConstraint(
            model_name="pricesource",
            constraint=models.CheckConstraint(
                condition=models.Q(("jump_band__gt", 0), ("jump_band__lt", 1)), name="refdata_pricesource_band"
            ),
        ),
    ]
