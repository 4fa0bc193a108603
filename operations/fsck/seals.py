"""The seals of the journal against what they sealed, their signatures and their anchors, as ``journal`` checks them."""

from __future__ import annotations

from collections.abc import Iterator

from journal.services.check_seals import check_seals
from operations.fsck.check import Found
from operations.fsck.snapshot import Snapshot


def differing_seals(snapshot: Snapshot) -> Iterator[Found]:
    """Each finding of the check of the seals; those it counted without keeping them are counted here too."""
    checked = check_seals(at=snapshot.at)
    for finding in checked.findings:
        yield Found(f"seal {finding.number}" if finding.number else "seals", f"{finding.code}: {finding.sentence}")
    for _ in range(checked.found - len(checked.findings)):
        yield Found("seals", "one more of the same")
