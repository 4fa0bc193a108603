"""The custodian at its desk: what lies in our outgoing folders is read, and what is due is put into its own folder of ours.

What it has to say follows from our files and their times, so all it remembers is until when it has spoken. A crash between speaking
and remembering says some words twice, as a real one does: they change nothing.
"""

from __future__ import annotations

import logging
import threading
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from django.conf import settings

from allocations.custodian.course import DEMO, Instructed, Pace, Word, course, own_course, transformed_itself
from allocations.custodian.papers import read_cancellations, read_instructions, write_words
from allocations.domain import transitions as moves
from kernel.clock import utc_now

log = logging.getLogger("allocations.custodian")

EVERY_S = 2.0
REMEMBERS = timedelta(days=10)
SPOKEN = ".spoken"


@dataclass(slots=True)
class Custodian:
    """One that answers for every custodian of the demo; ``course`` by reference, in the order in which files came. A file that
    cannot be read is told in the log and holds up no other."""

    outgoing: Path
    incoming: Path
    seed: int = 1
    pace: Pace = DEMO
    _read: set[Path] = field(default_factory=set)
    _words: dict[str, list[Word]] = field(default_factory=dict)
    _asked: dict[str, Instructed] = field(default_factory=dict)
    _agents: dict[str, str] = field(default_factory=dict)

    def step(self, *, at: datetime) -> int:
        """Read what is new, say what is due; how many words."""
        since = self._spoken(at)
        for path in sorted(self.outgoing.glob("*/*.xml"), key=lambda one: (one.stat().st_mtime, one.name)):
            if path not in self._read:
                self._read.add(path)
                try:
                    self._take(path, at)
                except (
                    ValueError,
                    LookupError,
                    SyntaxError,
                    ArithmeticError,
                ) as problem:  # SyntaxError: what lxml cannot parse
                    log.warning("custodian passes over %s: %s", path.name, problem)
        said = 0
        for agent in sorted(set(self._agents.values())):
            due = sorted(self._due(agent, since, at), key=lambda word: (word.at, word.instructed.ref))
            if due:
                self._say(agent, due, at)
                said += len(due)
        self._remember(at)
        return said

    def _take(self, path: Path, at: datetime) -> None:
        came = datetime.fromtimestamp(path.stat().st_mtime, tz=UTC)
        if came < at - REMEMBERS:
            return
        content, agent = path.read_bytes(), path.parent.name
        if ".sese.023." in path.name:
            for one in read_instructions(content):
                self._instruct(one, came)
                self._asked[one.ref], self._agents[one.ref] = one, agent
        elif ".sese.020." in path.name:
            for ref in read_cancellations(content):
                self._cancel(ref, came + timedelta(seconds=self.pace.accepts))

    def _instruct(self, one: Instructed, came: datetime) -> None:
        old = self._asked.get(one.previous)
        if old is not None and transformed_itself(old, one, self.seed):
            own, ours = own_course(old, one, received_at=came, seed=self.seed, pace=self.pace)
            self._words[old.ref] = [*self._words.get(old.ref, []), *own]
            self._words[one.ref] = ours
        else:
            self._words[one.ref] = course(one, received_at=came, seed=self.seed, pace=self.pace)

    def _cancel(self, ref: str, at: datetime) -> None:
        """What has not settled by then is canceled; what has, has."""
        words = self._words.get(ref, [])
        kept = [word for word in words if word.at <= at]
        if words and not any(word.qty for word in kept):
            gone: Instructed = words[0].instructed
            kept.append(Word(at, gone, moves.CANCELED, words[0].their_ref))
            self._words[ref] = kept
        elif words and kept[-1].status == moves.PARTIAL:
            self._words[ref] = [*kept, replace(kept[-1], at=at, status=moves.PENDING, qty=None, amount=None)]

    def _due(self, agent: str, since: datetime, at: datetime) -> list[Word]:
        return [
            word
            for ref, words in self._words.items()
            if self._agents[ref] == agent
            for word in words
            if since < word.at <= at
        ]

    def _say(self, agent: str, words: list[Word], at: datetime) -> None:
        folder = self.incoming / agent
        folder.mkdir(mode=0o750, parents=True, exist_ok=True)
        target = folder / f"{at:%Y%m%dT%H%M%S%f}.xml"
        making = target.with_suffix(".part")
        making.write_bytes(write_words(words, at=at))
        making.rename(target)

    def _spoken(self, at: datetime) -> datetime:
        try:
            return datetime.fromisoformat((self.incoming / SPOKEN).read_text().strip())
        except (FileNotFoundError, ValueError):
            return at - REMEMBERS

    def _remember(self, at: datetime) -> None:
        self.incoming.mkdir(mode=0o750, parents=True, exist_ok=True)
        making = self.incoming / f"{SPOKEN}.part"
        making.write_text(at.isoformat())
        making.replace(self.incoming / SPOKEN)


def serve(stop: threading.Event, *, seed: int = 1, pace: Pace = DEMO) -> None:
    """Look every other second until ``stop``; a disk that fails is told in the log and looked at again."""
    base = Path(settings.VAR_DIR)
    custodian = Custodian(base / "outgoing" / "settlement", base / "incoming" / "settlement", seed, pace)
    while not stop.wait(EVERY_S):
        try:
            custodian.step(at=utc_now())
        except OSError as problem:
            log.warning("custodian waits: %s", problem)
