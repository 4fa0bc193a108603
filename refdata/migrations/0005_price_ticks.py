"""Stored ticks, and the right to end a doubt about a price."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("refdata", "0004_price_quality"),
    ]

    operations = [
        migrations.AlterModelOptions(
            name="referenceprice",
            options={"permissions": [("judge_price", "May say whether a price in doubt is good")]},
        ),
        migrations.CreateModel(
            name="PriceTick",
            fields=[
                ("id", models.UUIDField(primary_key=True, serialize=False)),
                ("source", models.CharField(max_length=24)),
                ("session", models.UUIDField(null=True)),
                ("made_at", models.DateTimeField(help_text="By the feed's word")),
                ("received_at", models.DateTimeField()),
                ("last", models.DecimalField(decimal_places=8, max_digits=20, null=True)),
                ("bid", models.DecimalField(decimal_places=8, max_digits=20, null=True)),
                ("ask", models.DecimalField(decimal_places=8, max_digits=20, null=True)),
                ("bid_size", models.DecimalField(decimal_places=8, max_digits=24, null=True)),
                ("ask_size", models.DecimalField(decimal_places=8, max_digits=24, null=True)),
                ("previous_close", models.DecimalField(decimal_places=8, max_digits=20, null=True)),
                ("phase", models.CharField(db_default="", default="", max_length=16)),
                ("outcome", models.CharField(help_text="What it did when it was judged", max_length=12)),
                (
                    "doubt",
                    models.CharField(db_default="", default="", help_text="Why it was not believed", max_length=24),
                ),
                (
                    "listing",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="refdata.listing",
                    ),
                ),
            ],
            options={
                "indexes": [models.Index(fields=["listing", "id"], name="refdata_pricetick_listing")],
            },
        ),
    ]
