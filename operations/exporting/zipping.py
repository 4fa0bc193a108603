"""ZIP archives whose bytes depend on their parts alone: fixed order, fixed time of every entry, fixed rights."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping

_EPOCH = (1980, 1, 1, 0, 0, 0)  # the earliest time the format knows
_FILE_RIGHTS = 0o100644 << 16
_UNIX = 3


def zip_of(parts: Mapping[str, bytes]) -> bytes:
    """Archive the parts in the order given."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, body in parts.items():
            entry = zipfile.ZipInfo(name, _EPOCH)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.create_system = _UNIX
            entry.external_attr = _FILE_RIGHTS
            archive.writestr(entry, body)
    return buffer.getvalue()


def unzip(data: bytes) -> dict[str, bytes]:
    """The parts of an archive of ours, in order."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}
