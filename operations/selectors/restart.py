"""What a restart begins from: the picture's last snapshot, the events behind it, and whether the picture equals the tables."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from journal.models import Event, Snapshot
from journal.selectors.happenings import version_in_force
from operations.picture.publishing import read_standing
from operations.services.set_picture_gate import SOURCE
from risk.models import Block


@dataclass(frozen=True, slots=True)
class Kept:
    """The snapshot a restart loads, with the digest its bytes are checked by."""

    taken_at: datetime
    position: int
    version: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Restart:
    """``head`` is the newest position of the journal; ``reached`` how far the running picture has read, None when none runs.

    ``equal``: the running picture was compared with the tables last time and did not differ. ``gate`` stands while that is not
    proven; ``proven_at`` is when it was lifted last.
    """

    kept: Kept | None
    head: int
    reached: int | None
    equal: bool
    gate: Block | None
    proven_at: datetime | None

    @property
    def to_replay(self) -> int:
        """How many positions a restart would read at most."""
        return self.head - (self.kept.position if self.kept else 0)

    @property
    def behind(self) -> int | None:
        """How many positions the running picture has still to read."""
        return None if self.reached is None else max(0, self.head - self.reached)


def get_restart() -> Restart:
    """As it stands now; five statements."""
    standing = read_standing()
    version = version_in_force(SOURCE) or 0  # none is kept under 0
    fields = ("taken_at", "position", "version", "sha256")
    snapshots = Snapshot.objects.filter(projection=SOURCE, version=version).order_by("-position")
    newest = snapshots.values_list(*fields).first()
    gates = Block.objects.filter(source=SOURCE)
    return Restart(
        kept=Kept(newest[0], newest[1], newest[2], bytes(newest[3]).hex()) if newest else None,
        head=Event.objects.order_by("-position").values_list("position", flat=True).first() or 0,
        reached=standing[0] if standing else None,
        equal=bool(standing and standing[1]),
        gate=gates.filter(lifted_at=None).order_by("imposed_at").first(),
        proven_at=gates.exclude(lifted_at=None).order_by("-lifted_at").values_list("lifted_at", flat=True).first(),
    )
