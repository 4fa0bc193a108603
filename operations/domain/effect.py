"""What a request would do once approved, as its checker reads it: figures of now beside figures of then."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class EffectLine:
    """One figure: what it is, what it is now, what it would be. Finished text, units included; ``note`` says why."""

    label: str
    now: str
    then: str
    note: str = ""

    @property
    def changes(self) -> bool:
        return self.now != self.then


@dataclass(frozen=True, slots=True)
class Effect:
    """``headline`` says in one sentence what will happen, ``button`` what the approve button carries (never "OK").

    ``lines`` come from a dry run of now, not from what the maker entered; ``warnings`` name what cannot be undone or
    has changed since it was asked.
    """

    headline: str
    button: str
    lines: tuple[EffectLine, ...] = ()
    warnings: tuple[str, ...] = ()
