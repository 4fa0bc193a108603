"""What people have decided about is not found anew: a match by hand and a write-off hold as long as both records say the same."""

from __future__ import annotations

from collections.abc import Mapping

from reconciliation.domain import transitions as moves
from reconciliation.domain.findings import Finding
from reconciliation.domain.repairs import said_by
from reconciliation.models import Break

DECIDED = (Break.ClosedAs.MATCHED, Break.ClosedAs.WRITTEN_OFF)


def without_decided(found: Mapping[str, Finding]) -> dict[str, Finding]:
    """The findings by key that nobody has decided about as they are; one statement."""
    newest = Break.objects.filter(key__in=list(found)).order_by("key", "-recurrence").distinct("key")
    decided = {row.key: row for row in newest if row.state == moves.CLOSED and row.closed_as in DECIDED}
    if not decided:
        return dict(found)
    return {key: one for key, one in found.items() if key not in decided or not _says_the_same(decided[key], one)}


def _says_the_same(row: Break, finding: Finding) -> bool:
    differences = [one.as_json() for one in finding.differences]
    return (
        row.differences == differences
        and row.ours == dict(finding.ours)
        and said_by(row.theirs) == said_by(finding.theirs)
    )
