"""Corporate actions from a file: new notices, and new versions of those whose terms differ. A second run writes nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from authorisation.domain.principal import Principal
from kernel.errors import Conflict, Invalid
from refdata.as_at import terms_of
from refdata.domain.action_terms import COLUMNS, ActionTerms, read_terms
from refdata.domain.import_rows import ImportCode, ImportIssue, LoadResult
from refdata.models import CorporateAction
from refdata.services._actions import require_asker
from refdata.services.announce_action import announce_action
from refdata.services.correct_action import correct_action

ACTION_COLUMNS = ("source", "reference", "symbol", "kind", "ex_date")
"""What every file must have; the others of ``ActionTerms`` may be absent."""
ALL_COLUMNS = ("source", "reference", "symbol", *COLUMNS)
MAX_ACTIONS = 5_000


def load_actions(*, actor: Principal, at: datetime, rows: Sequence[Mapping[str, str]]) -> LoadResult:
    """Good rows are kept, each for itself; bad ones come back as issues with their row. Raises NotPermitted RIGHT_MISSING."""
    require_asker(actor)
    counts = {"added": 0, "changed": 0, "unchanged": 0}
    issues: list[ImportIssue] = []
    if len(rows) > MAX_ACTIONS:
        sentence = f"The file has more than {MAX_ACTIONS} rows."
        return LoadResult(0, 0, 0, (ImportIssue(0, "", ImportCode.FILE_TOO_LONG, sentence),))
    for number, row in enumerate(rows, start=2):
        terms, faults = read_terms(row)
        if terms is not None:
            try:
                counts[_take(actor, at, row, terms)] += 1
                continue
            except Invalid as error:
                faults = {name: sentences[0] for name, sentences in error.fields.items()}
            except Conflict as error:
                faults = {"reference": error.sentence}
        issues += [
            ImportIssue(number, column, ImportCode.ACTION_INVALID, sentence) for column, sentence in faults.items()
        ]
    return LoadResult(**counts, issues=tuple(issues))


def _take(actor: Principal, at: datetime, row: Mapping[str, str], terms: ActionTerms) -> str:
    source, reference = row.get("source", "").strip(), row.get("reference", "").strip()
    known = CorporateAction.objects.select_related("listing").filter(source=source, reference=reference).first()
    symbol = row.get("symbol", "")
    if known is None:
        announce_action(
            actor=actor, at=at, symbol=symbol, terms=terms, source=source, reference=reference, reason="file"
        )
        return "added"
    if known.listing.symbol != symbol.strip().upper():
        raise Conflict("ACTION_KIND", f"{reference} is about {known.listing.symbol}, not {symbol}.")
    if terms_of(known) == terms:
        return "unchanged"
    correct_action(actor=actor, at=at, action_id=known.id, terms=terms, reason="corrected by a file")
    return "changed"
