"""The version of a set of static data: renewed by whoever changes the set, in the same transaction."""

from __future__ import annotations

from uuid import UUID

from journal.bulk import raw_cursor
from kernel.ids import new_id

_RENEW = (
    "INSERT INTO refdata_staticversion (name, version) VALUES (%s, %s) "
    "ON CONFLICT (name) DO UPDATE SET version = excluded.version"
)


def renew_static_version(name: str) -> UUID:
    """Give the set a new version and return it. Its row is locked until the transaction ends: changes of a set queue."""
    version = new_id()
    with raw_cursor() as cursor:
        cursor.execute(_RENEW, [name, version])
    return version
