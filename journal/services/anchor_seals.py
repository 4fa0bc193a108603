"""Write every seal to each anchor file outside the database, and say so when that fails or a file was tampered with.

A seal is committed first and anchored next; what a crash or a full disk kept from a file is written by a later pass. What
was flushed is recorded (``SealAnchor``): a file that ends before that was cut, and nothing is written into the hole.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from django.conf import settings
from django.db import transaction

from journal.anchors import AnchorEnd, anchor_path, append_lines, read_end
from journal.bulk import insert_rows
from journal.domain.records import Anomaly, Severity
from journal.domain.seals import SignedSeal
from journal.locks import lock_sealing
from journal.models import SealAnchor
from journal.selectors.seals import find_anchored, find_last_seal, list_seal_keys, list_seals
from journal.services.set_anomaly import set_anomaly

ACTOR = "process:sealer"
SEALS_PER_PASS = 1000


class _NotAnchored(Exception):
    """Why a directory takes no seal, as one sentence."""


def anchor_seals(*, at: datetime, places: Sequence[str] | None = None) -> int:
    """Bring each directory (those of the settings when None) up to the last seal, at most 1,000 seals a pass each.

    Returns how many lines were written. A directory that fails is an anomaly; the others go on.
    """
    written = 0
    for place in settings.ANCHOR_DIRS if places is None else places:
        sentence = ""
        try:
            with transaction.atomic():
                written += _anchor(str(place), at)
        except _NotAnchored as problem:
            sentence = str(problem)
        except OSError as problem:
            sentence = f"{anchor_path(str(place))} cannot be written: {problem.strerror or problem}."
        set_anomaly(
            anomaly=_anomaly("SEAL_NOT_ANCHORED", str(place), sentence or f"All seals are anchored in {place} again."),
            wrong=bool(sentence),
            actor=ACTOR,
            at=at,
        )
    return written


def _anchor(place: str, at: datetime) -> int:
    last = find_last_seal()
    if last is None or not lock_sealing():
        return 0
    path = anchor_path(place)
    known, end = find_anchored(place), read_end(path)
    _refuse_foreign(place, end, last)
    if end.number < known:
        sentence = f"{path} ends with seal {end.number}, although seal {known} was flushed into it: somebody cut it."
        cut = _anomaly("SEAL_ANCHOR_CUT", f"{place}:{known}", sentence, Severity.CRITICAL)
        set_anomaly(anomaly=cut, wrong=True, actor=ACTOR, at=at)
    seals = list_seals(after=max(known, end.number), limit=SEALS_PER_PASS)
    if not seals:
        return 0
    public = {key.terms.key_id: key.terms.public_key for key in list_seal_keys()}
    strange = [seal for seal in seals if seal.terms.key_id not in public]
    if strange:
        raise _NotAnchored(f"Seal {strange[0].terms.number} names a key that the journal does not know.")
    lines = append_lines(path, [(seal, public[seal.terms.key_id]) for seal in seals], end=end)
    rows = [(place, line.number, line.hash, at) for line in lines]
    insert_rows(SealAnchor, rows, fields=("place", "number", "line_hash", "anchored_at"))
    return len(lines)


def _refuse_foreign(place: str, end: AnchorEnd, last: SignedSeal) -> None:
    """Never write behind lines that are not about this journal: a restored database, another house, another text."""
    path = anchor_path(place)
    if not end.readable:
        raise _NotAnchored(f"The last line of {path} is no anchor; nothing is written behind it.")
    if end.line is None:
        return
    if end.number > last.terms.number:
        raise _NotAnchored(
            f"{path} holds seal {end.number} and the journal ends with seal {last.terms.number}: the database lost seals, "
            "or the directory belongs to another journal."
        )
    ours = list_seals(after=end.number - 1, up_to=end.number)
    if not ours or ours[0].terms.text() != end.line.seal_text:
        raise _NotAnchored(f"Seal {end.number} in {path} is another one than in the journal.")


def _anomaly(kind: str, place: str, sentence: str, severity: Severity = Severity.HIGH) -> Anomaly:
    return Anomaly(
        kind=kind,
        severity=severity,
        subject_type="journal",
        subject_id="seals",
        sentence=sentence,
        dedupe_key=f"{kind.lower().replace('_', '-')}:{place}",
        evidence={"place": place},
    )
