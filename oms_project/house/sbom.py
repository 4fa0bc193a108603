"""The bill of materials: every locked package and vendored file, as CycloneDX 1.6 JSON made from the lock files.

Scope ``required`` is what production runs, ``optional`` the embedded servers of a demo, ``excluded`` what develops and
tests. Nothing in it depends on the machine or the day, so that a stale page is a changed lock.
"""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

SCOPES = {"base.txt": "required", "embedded.txt": "optional", "dev.txt": "excluded"}
_PIN = re.compile(r"^([a-z0-9._-]+)==([^\s;\\]+)(?:\s*;\s*([^\\]+?))?\s*\\$")
_HASH = re.compile(r"--hash=sha256:([0-9a-f]{64})")
_VENDORED = re.compile(
    r"^\| `([^`]+)` \| `([^`]+)`, [^|]* \| ([^|]+) \| ([^|,]+),[^|]*\| `([0-9a-f]{64})` \|$", re.MULTILINE
)


@dataclass(frozen=True, slots=True)
class Pin:
    """One line of a lock file: ``marker`` says on which Pythons and machines, empty for all."""

    name: str
    version: str
    marker: str
    hashes: tuple[str, ...]


def read_pins(text: str) -> list[Pin]:
    """The pins of a lock file, in its order. Raises ValueError for one without a hash."""
    found: list[Pin] = []
    for block in re.split(r"\n(?=[a-z0-9])", text):
        head = _PIN.match(block.split("\n", 1)[0])
        if head is None:
            continue
        hashes = tuple(_HASH.findall(block))
        if not hashes:
            raise ValueError(f"{head[1]}=={head[2]} is locked without a hash")
        found.append(Pin(head[1], head[2], head[3] or "", hashes))
    return found


def components(root: Path) -> Iterator[dict[str, object]]:
    """Packages by name and version, then vendored files. Raises KeyError for a package without a licence."""
    licences = tomllib.loads((root / "requirements" / "licences.toml").read_text())
    seen: dict[tuple[str, str], dict[str, object]] = {}
    for lock, scope in SCOPES.items():
        for pin in read_pins((root / "requirements" / lock).read_text()):
            seen.setdefault((pin.name, pin.version), _package(pin, scope, licences[pin.name]))
    yield from (seen[key] for key in sorted(seen))
    for file, package, version, licence, digest in _VENDORED.findall((root / "static/vendor/README.md").read_text()):
        yield {
            "type": "library",
            "bom-ref": f"pkg:npm/{package}@{version.strip()}",
            "name": package,
            "version": version.strip(),
            "scope": "required",
            "hashes": [{"alg": "SHA-256", "content": digest}],
            "licenses": [{"expression": licence.strip()}],
            "purl": f"pkg:npm/{package}@{version.strip()}",
            "properties": [{"name": "oms:file", "value": f"static/vendor/{file}"}],
        }


def _package(pin: Pin, scope: str, licence: str) -> dict[str, object]:
    purl = f"pkg:pypi/{pin.name}@{pin.version}"
    component: dict[str, object] = {
        "type": "library",
        "bom-ref": purl,
        "name": pin.name,
        "version": pin.version,
        "scope": scope,
        "hashes": [{"alg": "SHA-256", "content": digest} for digest in pin.hashes],
        "licenses": [{"expression": licence}],
        "purl": purl,
    }
    if pin.marker:
        component["properties"] = [{"name": "oms:only-when", "value": pin.marker}]
    return component


def sbom(root: Path) -> str:
    """The document, ready to be written."""
    project = tomllib.loads((root / "pyproject.toml").read_text())["project"]
    document = {
        "$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": {
            "component": {
                "type": "application",
                "bom-ref": f"{project['name']}@{project['version']}",
                "name": project["name"],
                "version": project["version"],
                "description": project["description"],
            }
        },
        "components": list(components(root)),
    }
    return json.dumps(document, indent=1) + "\n"
