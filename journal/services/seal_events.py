"""Seal what the journal can no longer change: a Merkle root over it, signed, chained to the seal before, then anchored.

Looked at every second. One pass makes at most one seal of bounded size, because orders wait for the relay that runs it; few
events wait until the last seal is some seconds old, so that a quiet house makes few seals. Only one process seals at a
time. Whatever keeps it from sealing is an anomaly, and the relay goes on.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from django.db import transaction

from journal.bulk import insert_rows
from journal.domain.merkle import packed_leaves, tree_root
from journal.domain.records import Anomaly, Severity
from journal.domain.seals import (
    NO_SEAL,
    SealTerms,
    SignedKey,
    introduce_key,
    key_chain,
    key_id_of,
    public_bytes,
    sign_seal,
)
from journal.locks import lock_sealing
from journal.models import Seal, SealKey
from journal.seal_key import load_key
from journal.selectors.horizon import Horizon
from journal.selectors.seals import find_last_seal, find_unsealed_since, list_seal_keys, pack_events
from journal.services.anchor_seals import anchor_seals
from journal.services.set_anomaly import set_anomaly
from kernel.errors import Unavailable

ACTOR = "process:sealer"
EVENTS_PER_SEAL = 10_000
PATIENCE = timedelta(seconds=5)
BEHIND_S = 60.0
SEAL_FIELDS = (
    "number", "from_position", "to_position", "count", "root", "previous", "sealed_at", "key_id", "signature",
)  # fmt: skip
KEY_FIELDS = ("key_id", "public_key", "predecessor", "made_at", "signature")


@dataclass(frozen=True, slots=True)
class SealPass:
    """What one pass did. ``behind_s``: age of the oldest event that no seal covers yet."""

    sealed: bool
    anchored: int
    behind_s: float


def seal_events(
    *,
    at: datetime,
    horizon: Horizon | None = None,
    places: Sequence[str] | None = None,
    events_per_seal: int = EVENTS_PER_SEAL,
    patience: timedelta = PATIENCE,
) -> SealPass:
    """Seal at most ``events_per_seal`` events up to the horizon, and anchor what is sealed.

    ``places`` are the anchor directories, those of the settings when None. Fewer events than that wait until the last
    seal is older than ``patience``.
    """
    sealed, stopped = False, ""
    ceiling = (horizon or Horizon()).position()
    try:
        sealed = _seal(ceiling, at, events_per_seal, patience)
    except Unavailable as problem:
        stopped = problem.sentence
    except (ValueError, OSError) as problem:
        stopped = f"The journal cannot be sealed: {problem}."
    anchored = anchor_seals(at=at, places=places)
    return SealPass(sealed, anchored, _tell(stopped, at))


def _seal(ceiling: int, at: datetime, limit: int, patience: timedelta) -> bool:
    with transaction.atomic():
        if not lock_sealing():
            return False
        last = find_last_seal()
        after = last.terms.to_position if last else 0
        run = pack_events(after=after, up_to=ceiling, limit=limit)
        early = last is not None and at - last.terms.sealed_at < patience and run.found < limit
        if run.found == 0 or early:
            return False
        key = _key(at)
        terms = SealTerms(
            number=last.terms.number + 1 if last else 1,
            from_position=after + 1,
            to_position=run.last_position if run.found == limit else ceiling,
            count=run.found,
            root=tree_root(packed_leaves(run.packed)),
            previous=last.terms.hash() if last else NO_SEAL,
            sealed_at=at,
            key_id=key_id_of(public_bytes(key)),
        )
        row = (
            terms.number, terms.from_position, terms.to_position, terms.count, terms.root, terms.previous, terms.sealed_at,
            terms.key_id, sign_seal(terms, key).signature,
        )  # fmt: skip
        insert_rows(Seal, [row], fields=SEAL_FIELDS)
    return True


def _key(at: datetime) -> Ed25519PrivateKey:
    """The signing key; the very first one is introduced here, signed by itself."""
    keys = list_seal_keys()
    chain = key_chain(keys)
    if keys and not chain:
        raise Unavailable("SEAL_KEY_UNKNOWN", "No key in the journal introduces the others.")
    key = load_key(chain[-1].terms.key_id if chain else None)
    if not chain:
        insert_rows(SealKey, [key_values(introduce_key(key, by=None, at=at))], fields=KEY_FIELDS)
    return key


def key_values(key: SignedKey) -> tuple[object, ...]:
    """The values of a key in the order of ``KEY_FIELDS``."""
    terms = key.terms
    return (terms.key_id, terms.public_key, terms.predecessor, terms.made_at, key.signature)


def _tell(stopped: str, at: datetime) -> float:
    """Keep the two standing anomalies of the sealer true; returns how far it is behind, in seconds."""
    last = find_last_seal()
    oldest = find_unsealed_since(last.terms.to_position if last else 0)
    behind_s = max((at - oldest).total_seconds(), 0.0) if oldest else 0.0
    late = behind_s > BEHIND_S
    number = last.terms.number if last else 0
    set_anomaly(
        anomaly=_anomaly("SEALING_STOPPED", stopped or f"Sealing goes on; the last seal is {number}."),
        wrong=bool(stopped),
        actor=ACTOR,
        at=at,
    )
    sentence = f"The oldest event that no seal covers is {behind_s:.0f} s old; the last seal is {number}."
    set_anomaly(anomaly=_anomaly("SEALER_BEHIND", sentence), wrong=late, actor=ACTOR, at=at)
    return behind_s


def _anomaly(kind: str, sentence: str) -> Anomaly:
    return Anomaly(
        kind=kind,
        severity=Severity.HIGH,
        subject_type="journal",
        subject_id="seals",
        sentence=sentence,
        dedupe_key=kind.lower().replace("_", "-"),
    )
