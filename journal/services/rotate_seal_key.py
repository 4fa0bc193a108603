"""Put a new signing key in the place of the old one, which introduces it with its last signature and is then destroyed.

Three steps, each of which a crash may follow: the new key is written beside the old one, introduced in the database, and
moved into its place. Whoever loads the key next finishes the third step (``journal.seal_key.load_key``).
"""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from journal.bulk import insert_rows
from journal.domain.seals import SignedKey, introduce_key, key_chain
from journal.locks import lock_sealing
from journal.models import SealKey
from journal.seal_key import key_file, load_key, next_file, read_key, write_new_key
from journal.selectors.seals import list_seal_keys
from journal.services.seal_events import KEY_FIELDS, key_values
from kernel.errors import Unavailable


def rotate_seal_key(*, at: datetime) -> SignedKey:
    """Introduce a new key and use it from now on. Raises Unavailable SEAL_KEY_NOT_IN_USE, SEALING_BUSY, or what loading says."""
    path = key_file()
    with transaction.atomic():
        if not lock_sealing():
            raise Unavailable("SEALING_BUSY", "The journal is being sealed just now; try again.")
        chain = key_chain(list_seal_keys())
        if not chain:
            raise Unavailable("SEAL_KEY_NOT_IN_USE", "No key has sealed anything yet; replace the file itself.")
        old = load_key(chain[-1].terms.key_id)
        waiting = next_file(path)
        new = read_key(waiting) if waiting.exists() else write_new_key(waiting)
        introduced = introduce_key(new, by=old, at=at)
        insert_rows(SealKey, [key_values(introduced)], fields=KEY_FIELDS)
    load_key(introduced.terms.key_id)
    return introduced
