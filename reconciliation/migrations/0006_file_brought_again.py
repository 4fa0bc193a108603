"""A file is judged when it comes; refused, it may come again on its day or with its signature. Whose feed it is never changes."""

from django.db import migrations

from journal.triggers import state_pairs

FILE = ("id", "kind", "source", "name", "sha256", "size", "received_by", "received_at")
READ = [("received", state) for state in ("read", "partly", "refused")] + [("read", "partly"), ("partly", "read")]
AGAIN = [("refused", state) for state in ("received", "read", "partly")]
STAGED = [("read", "refused"), ("partly", "refused")]


def guard(initial: list[str], pairs: list[tuple[str, str]], frozen: tuple[str, ...]) -> tuple[str, str]:
    return state_pairs("reconciliation_feedfile", column="state", initial=initial, pairs=pairs, frozen=frozen)


BEFORE = guard(["received"], READ, FILE)
AFTER = guard(["received", "read", "partly", "refused"], [*READ, *AGAIN, *STAGED], (*FILE, "feed_id"))


class Migration(migrations.Migration):
    dependencies = [("reconciliation", "0005_feeds")]
    operations = [migrations.RunSQL(f"{BEFORE[1]};{AFTER[0]}", f"{AFTER[1]};{BEFORE[0]}")]
