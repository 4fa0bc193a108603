"""What a person asks of the audit: a text that may be any identifier, a time span, a person, a kind, or a search by name. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

from journal.domain.wanted import Wanted
from kernel.errors import Invalid

MOST_NAMES = 20
MOST_CHARACTERS = 4_000


@dataclass(frozen=True, slots=True)
class AuditKind:
    """What people filter by: a title and the families of streams behind it."""

    title: str
    families: tuple[str, ...]


KINDS: dict[str, AuditKind] = {
    "order": AuditKind("Orders", ("order", "unknown")),
    "approval": AuditKind("Approvals", ("authorisation",)),
    "limit": AuditKind("Limits, rules and stops", ("risk", "rulebook")),
    "login": AuditKind("Sign-ins and access", ("user", "role", "access_review")),
    "money": AuditKind("Accounts and money", ("account", "fees")),
    "file": AuditKind("Files and notices", ("upload", "action", "refdata")),
    "config": AuditKind("Configuration and sessions", ("session", "price", "policy", "webhook", "outbound")),
    "anomaly": AuditKind("Exceptions", ("anomaly",)),
    "read": AuditKind("Who looked at what", ("reads", "journal")),
}


@dataclass(frozen=True, slots=True)
class Preset:
    """A search by name. ``days`` back from now where no time is given; 0 means since midnight in the reader's zone."""

    title: str
    days: int
    families: tuple[str, ...] = ()
    kinds: tuple[str, ...] = ()
    verdict: str = ""
    outside: bool = False


PRESETS: dict[str, Preset] = {
    "overrides": Preset(
        "Overrides today", 0, families=("authorisation",), kinds=("AuthorisationDecided",), verdict="approve"
    ),
    "self-approval": Preset(
        "Self-approval attempts", 30, families=("authorisation",), kinds=("SelfApprovalRefused",)
    ),
    "after-hours": Preset("After-hours actions", 7, outside=True),
    "evidence": Preset("Evidence and exports taken", 30, kinds=("EvidenceTaken", "RecordsExported", "EvidenceExported"),
                       families=("reads", "journal")),
}  # fmt: skip
HOURS = ("07:00", "19:00")
"""What people do outside these hours, and at weekends, in the reader's zone, is after hours."""


@dataclass(frozen=True, slots=True)
class Names:
    """What a text may name: words as typed, ids, and numbers."""

    words: tuple[str, ...] = ()
    ids: tuple[UUID, ...] = ()

    @property
    def upper(self) -> tuple[str, ...]:
        return tuple(word.upper() for word in self.words)

    def __bool__(self) -> bool:
        return bool(self.words)


@dataclass(frozen=True, slots=True)
class AuditFilter:
    """One question. ``actor`` is a user name, or an actor as events name it (``process:relay``)."""

    text: str = ""
    since: datetime | None = None
    until: datetime | None = None
    actor: str = ""
    kind: str = ""
    preset: str = ""
    names: Names = field(default_factory=Names)

    @property
    def is_empty(self) -> bool:
        return not (self.text or self.since or self.until or self.actor or self.kind or self.preset)

    def told(self) -> dict[str, str]:
        """What is kept of the question: names taken out of a pasted message, never the message."""
        said = {
            "names": " ".join(self.names.words), "since": self.since.isoformat() if self.since else "",
            "until": self.until.isoformat() if self.until else "", "actor": self.actor, "kind": self.kind,
            "search": self.preset,
        }  # fmt: skip
        return {name: value for name, value in said.items() if value}


_TAGGED = re.compile(r"(?:^|[\x01|;^\s])(11|41|37|17|198|19)=([^\x01|;^\s]+)")
_IS_MESSAGE = re.compile(r"(?:^|[\x01|;^\s])(?:8=FIX|35=)")


def names_in(text: str) -> Names:
    """Ids out of a pasted FIX line (11, 41, 37, 17 and what refers to them), else the text and its words."""
    text = text.strip()[:MOST_CHARACTERS]
    tagged = [value for _, value in _TAGGED.findall(text)]
    if tagged or _IS_MESSAGE.search(text):
        words = list(dict.fromkeys(tagged))
    else:
        words = list(dict.fromkeys(part for part in (text, *re.split(r"[\s,;]+", text)) if part))
    kept = tuple(words[:MOST_NAMES])
    return Names(kept, tuple(found for word in kept if (found := _as_id(word)) is not None))


def _as_id(word: str) -> UUID | None:
    try:
        return UUID(word.rpartition(":")[2])
    except ValueError:
        return None


def make_filter(data: Mapping[str, str], *, since: datetime | None, until: datetime | None) -> AuditFilter:
    """The question in a form. Raises Invalid AUDIT_FILTER_INVALID."""
    kind, preset = data.get("kind", "").strip(), data.get("search", "").strip()
    if kind and kind not in KINDS:
        raise Invalid("AUDIT_FILTER_INVALID", "There is no such kind of events.")
    if preset and preset not in PRESETS:
        raise Invalid("AUDIT_FILTER_INVALID", "There is no such search.")
    if since and until and until <= since:
        raise Invalid("AUDIT_FILTER_INVALID", "The time span ends before it begins.")
    text = data.get("q", "").strip()[:MOST_CHARACTERS]
    return AuditFilter(text, since, until, data.get("actor", "").strip()[:80], kind, preset, names_in(text))


def wanted_of(asked: AuditFilter, *, actors: tuple[str, ...], at: datetime, midnight: datetime, zone: str) -> Wanted:
    """The events a question without a subject is about. ``actors`` are the names under which the person acts."""
    preset = PRESETS.get(asked.preset)
    families = KINDS[asked.kind].families if asked.kind else ()
    since = asked.since
    if preset is None:
        return Wanted(since, asked.until, actors, families)
    if since is None:
        since = at - timedelta(days=preset.days) if preset.days else midnight
    outside = (*HOURS, zone) if preset.outside else None
    return Wanted(since, asked.until, actors, families or preset.families, preset.kinds, (), preset.verdict, outside)
