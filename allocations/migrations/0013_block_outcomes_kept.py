"""What became of a block's price is written once."""

from typing import ClassVar

from django.db import migrations

from journal.triggers import append_only


class Migration(migrations.Migration):
    dependencies: ClassVar = [("allocations", "0012_block_outcomes"), ("journal", "0001_initial")]

    operations: ClassVar = [migrations.RunSQL(*append_only("allocations_blockoutcome"))]
