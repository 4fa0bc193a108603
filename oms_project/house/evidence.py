"""``./oms evidence OUT_DIR``: seal what is settled, then write an export that anybody can verify offline."""

from __future__ import annotations

import os
from argparse import Namespace
from datetime import timedelta
from pathlib import Path

from oms_project.house import environment
from oms_project.house.current import house_addresses, mode_of
from oms_project.house.failures import HOLDS, BadInput, cannot
from oms_project.house.paths import this_house
from oms_project.house.trading import operator


def run(arguments: Namespace) -> int:
    """The verb."""
    directory = Path(arguments.directory).resolve()
    if arguments.order and (arguments.from_seal or arguments.to_seal):
        raise BadInput("Either one order or a run of seals can be exported, not both.")
    if arguments.pack and (arguments.order or arguments.from_seal or arguments.to_seal):
        raise BadInput("A pack is of one subject; a run of seals goes into a directory.")
    house = this_house()
    os.chdir(house.root)
    mode = mode_of(house)
    with house_addresses(house) as addresses:
        os.environ.update(environment.common(house, mode), OMS_DATABASE_URL=addresses.app)
        import django

        django.setup()
        from django.db import connections

        from kernel.errors import Invalid, NotFound

        try:
            write(directory, arguments)
        except FileExistsError as problem:
            raise BadInput(f"{directory} is not empty; name a new directory.") from problem
        except (Invalid, NotFound) as problem:
            raise BadInput(problem.sentence) from problem
        except OSError as problem:
            why = f"{directory} cannot be written ({problem.strerror}); name another directory."
            raise cannot(why, place=directory.parent, text=str(problem)) from problem
        finally:
            connections.close_all()
    return HOLDS


def write(directory: Path, arguments: Namespace) -> None:
    """Seal, export, and say what there is now."""
    from django.conf import settings

    from journal.services.export_evidence import export_evidence
    from journal.services.seal_events import seal_events
    from kernel.clock import utc_now
    from operations.services.export_order_evidence import export_order_evidence

    if arguments.pack:
        write_pack(directory, arguments.pack)
        return
    at = utc_now()
    actor = f"process:oms evidence ({operator()})"
    while seal_events(at=at, patience=timedelta(0)).sealed:
        pass
    if arguments.order:
        made = export_order_evidence(
            directory=directory, name=arguments.order, actor=actor, at=at, build=settings.BUILD
        )
    else:
        made = export_evidence(
            directory=directory,
            actor=actor,
            at=at,
            build=settings.BUILD,
            from_seal=arguments.from_seal or 1,
            to_seal=arguments.to_seal,
        )
    print(f"{made.events} events under {made.seals} seals are in {made.directory}.")
    if not made.signed:
        print("The manifest is not signed: the key that seals this journal is not here.")
    print(f"Verify it anywhere: python {made.directory}/verify_evidence.py {made.directory}")


def write_pack(file: Path, subject: str) -> None:
    """Seal, then write the evidence of one subject as one file. Raises BadInput, FileExistsError."""
    from django.conf import settings

    from authorisation.domain.principal import process_principal
    from journal.services.seal_events import seal_events
    from kernel.clock import utc_now
    from operations.services.make_evidence_pack import make_evidence_pack

    kind, _, key = subject.partition("/")
    at = utc_now()
    while seal_events(at=at, patience=timedelta(0)).sealed:
        pass
    actor = process_principal(f"oms evidence ({operator()})")
    made = make_evidence_pack(actor=actor, at=at, build=settings.BUILD, kind=kind, key=key, form=file.suffix[1:])
    with file.open("xb") as handle:
        handle.write(made.body)
    print(f"The evidence of {kind} {key} is in {file} (sha256 {made.sha256}).")
    if file.suffix != ".pdf":
        print(f"Verify it anywhere: python verify_evidence.py {file}, or here: ./oms verify {file}")
