"""The files of an export of evidence: written line by line, digested as they are written, listed in a signed manifest."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from journal import verify_evidence
from journal.domain.seals import SignedKey, SignedSeal, key_id_of, public_bytes

FORMAT = verify_evidence.FORMAT
MANIFEST, SIGNATURE = "manifest.json", "manifest.sig.json"


class _Lines:
    """A file that is being written."""

    def __init__(self, handle: BinaryIO) -> None:
        self._handle = handle
        self._digest = hashlib.sha256()
        self.count = self.size = 0

    def put(self, line: bytes) -> None:
        """One line, given without its end."""
        text = line + b"\n"
        self._handle.write(text)
        self._digest.update(text)
        self.size += len(text)
        self.count += 1

    def facts(self) -> dict[str, Any]:
        """What the manifest says of the file."""
        return {"bytes": self.size, "sha256": self._digest.hexdigest()}


class EvidenceFiles:
    """A directory under construction. It must be empty or not exist yet; OSError when it cannot be written."""

    def __init__(self, directory: Path) -> None:
        directory.mkdir(parents=True, exist_ok=True)
        if any(directory.iterdir()):
            raise FileExistsError(f"{directory} is not empty")
        self.directory = directory
        self.files: dict[str, dict[str, Any]] = {}

    @contextmanager
    def lines(self, name: str) -> Iterator[_Lines]:
        """A file to put lines into."""
        path = self.directory / name
        path.parent.mkdir(exist_ok=True)
        with path.open("wb") as handle:
            lines = _Lines(handle)
            yield lines
        self.files[name] = lines.facts()

    def write(self, name: str, texts: Iterable[bytes]) -> int:
        """A whole file; returns how many lines it has."""
        with self.lines(name) as lines:
            for text in texts:
                lines.put(text)
        return lines.count

    def add(self, name: str, body: bytes) -> None:
        """A whole file as it is."""
        path = self.directory / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(body)
        self.files[name] = {"bytes": len(body), "sha256": hashlib.sha256(body).hexdigest()}

    def add_verifier(self) -> None:
        """Put the verifier beside what it verifies."""
        source = Path(verify_evidence.__file__)
        self.add(source.name, source.read_bytes())

    def finish(self, manifest: Mapping[str, Any], key: Ed25519PrivateKey | None) -> None:
        """List the files and sign the list; without a key the manifest stays unsigned."""
        text = json.dumps({"format": FORMAT, **manifest, "files": self.files}, sort_keys=True, indent=1).encode()
        (self.directory / MANIFEST).write_bytes(text)
        if key is not None:
            signed = {"key_id": key_id_of(public_bytes(key)), "signature": key.sign(text).hex()}
            (self.directory / SIGNATURE).write_bytes(plain(signed))


def plain(value: Mapping[str, Any]) -> bytes:
    """A line of JSON with sorted keys."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def seal_line(seal: SignedSeal) -> bytes:
    """A seal with its signature."""
    return plain({"seal": json.loads(seal.terms.text()), "signature": seal.signature.hex()})


def key_line(key: SignedKey) -> bytes:
    """A key with the signature that introduces it."""
    return plain({"key": json.loads(key.terms.text()), "signature": key.signature.hex()})
