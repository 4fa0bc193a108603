"""``./oms seal-key new FILE | show | rotate``: the key that signs seals. Its private half is never printed."""

from __future__ import annotations

import os
from argparse import Namespace
from pathlib import Path

from oms_project.house import environment
from oms_project.house.current import house_addresses, mode_of
from oms_project.house.failures import HOLDS, BadInput, CannotRun
from oms_project.house.paths import this_house


def new(file: str) -> int:
    """Make a key in a file that does not exist yet."""
    from journal.domain.seals import key_id_of, public_bytes
    from journal.seal_key import write_new_key

    path = Path(file).resolve()
    try:
        key = write_new_key(path)
    except FileExistsError as problem:
        raise BadInput(f"{path} exists; a key is never overwritten.") from problem
    except OSError as problem:
        raise CannotRun(f"{path} cannot be written ({problem.strerror}); name another file.") from problem
    print(f"Key {key_id_of(public_bytes(key))} is in {path}; keep a copy where the database is not.")
    print(f"Start the house with OMS_SEAL_KEY_FILE={path}.")
    return HOLDS


def run(arguments: Namespace) -> int:
    """The verb."""
    if arguments.action == "new":
        if not arguments.file:
            raise BadInput("seal-key new needs the name of a file that does not exist yet.")
        return new(arguments.file)
    house = this_house()
    os.chdir(house.root)
    mode = mode_of(house)
    with house_addresses(house) as addresses:
        os.environ.update(environment.common(house, mode), OMS_DATABASE_URL=addresses.app)
        import django

        django.setup()
        from django.db import connections

        from journal.domain.seals import key_chain
        from journal.selectors.seals import list_seal_keys
        from journal.services.rotate_seal_key import rotate_seal_key
        from kernel.clock import utc_now
        from kernel.errors import Unavailable

        try:
            if arguments.action == "rotate":
                rotate_seal_key(at=utc_now())
            for key in key_chain(list_seal_keys()):
                terms = key.terms
                print(f"{terms.key_id}  {terms.public_key.hex()}  since {terms.made_at.isoformat(timespec='seconds')}")
        except Unavailable as problem:
            raise CannotRun(problem.sentence) from problem
        finally:
            connections.close_all()
    return HOLDS
