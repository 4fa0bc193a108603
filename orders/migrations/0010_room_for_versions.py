"""Leave room on the pages of orders: a new version beside the old one touches no index (a HOT update).

An order's row is written a dozen times in its life and most writes change no indexed column. On full pages three of four
versions went to another page and into all eight indexes. Takes effect for pages written from now on.
"""

from __future__ import annotations

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("orders", "0009_figures_follow_facts")]

    operations = [
        migrations.RunSQL(
            "ALTER TABLE orders_order SET (fillfactor = 60)", "ALTER TABLE orders_order RESET (fillfactor)"
        )
    ]
