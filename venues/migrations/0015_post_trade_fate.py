"""When a post-trade message is known to have left, and the proof of the one time it is given to the engine again."""

from __future__ import annotations

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("venues", "0014_post_trade_inbox")]

    operations = [
        migrations.CreateModel(
            name="PostTradeAgain",
            fields=[
                ("name", models.CharField(max_length=160, primary_key=True, serialize=False)),
                ("intent_id", models.BigIntegerField(unique=True)),
                ("why", models.TextField()),
                ("body", models.TextField()),
                ("session", models.CharField(max_length=24)),
                ("epoch", models.CharField(max_length=40)),
                ("fence", models.BigIntegerField()),
                ("handed_over_at", models.DateTimeField()),
            ],
        ),
        migrations.AddField(model_name="posttradeintent", name="left_at", field=models.DateTimeField(null=True)),
        migrations.AlterField(
            model_name="posttradeintent",
            name="state",
            field=models.CharField(
                choices=[
                    ("waiting", "Waiting"),
                    ("handed_over", "Handed to the engine"),
                    ("refused", "Refused"),
                    ("returned", "Refused by the other side's session"),
                ],
                default="waiting",
                max_length=12,
            ),
        ),
    ]
