"""What the transaction of now has written so far, by table: to see that a call wrote nothing it should not."""

from __future__ import annotations

from collections import Counter

from django.db import connection


def writes() -> Counter[str]:
    """Rows inserted, updated and deleted by this transaction, whether or not a savepoint took them back."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT relname, n_tup_ins + n_tup_upd + n_tup_del FROM pg_stat_xact_user_tables "
            "WHERE n_tup_ins + n_tup_upd + n_tup_del > 0"
        )
        return Counter(dict(cursor.fetchall()))
