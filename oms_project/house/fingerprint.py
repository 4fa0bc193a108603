"""What this process is made of, as one short text that equals that of every other process of the house, or does not.

Code (every Python file of the rooms and the roof, so that a file changed in place is seen), migrations, the registry of checks
and the mappings of the adapters, and the settings that decide what is done: mode, build, feeds, time zone, and which apps
and middleware run. Secrets and addresses are not in it: they may differ by machine.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

ROOMS = (
    "kernel", "journal", "authorisation", "refdata", "accounts", "risk", "orders", "venues", "allocations",
    "reconciliation", "outbound", "operations", "oms_project",
)  # fmt: skip
SETTINGS = ("MODE", "BUILD", "TIME_ZONE", "USE_TZ", "PRICE_FEEDS", "INSTALLED_APPS", "MIDDLEWARE", "DEBUG")


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """The whole, and each part as ``name:digest``, so that who differs can say in what."""

    whole: str
    parts: tuple[str, ...]
    build: str


def _digest(text: bytes) -> str:
    return hashlib.sha256(text).hexdigest()[:12]


def code_digest(root: Path) -> str:
    """One digest over names and contents of all Python files of the rooms."""
    whole = hashlib.sha256()
    for room in ROOMS:
        for path in sorted((root / room).rglob("*.py")):
            whole.update(str(path.relative_to(root)).encode() + b"\0" + path.read_bytes())
    return whole.hexdigest()[:12]


@lru_cache(maxsize=1)
def own() -> Fingerprint:
    """Of this process, taken once: the supervisor takes it before it forks, so its children say what they truly run."""
    from django.conf import settings
    from django.db.migrations.loader import MigrationLoader

    from risk.domain.checks import CHECKS, REGISTRY_VERSION
    from venues.adapters.registry import ADAPTERS

    migrations = sorted(".".join(key) for key in MigrationLoader(None).disk_migrations)
    checks = [REGISTRY_VERSION, *(check.code for check in CHECKS)]
    adapters = sorted(f"{name}={adapter.mapping}" for name, adapter in ADAPTERS.items())
    chosen = [f"{name}={getattr(settings, name, None)!r}" for name in SETTINGS]
    parts = (
        f"code:{code_digest(Path(settings.BASE_DIR))}",
        f"migrations:{_digest(' '.join(migrations).encode())}",
        f"checks:{_digest(' '.join(checks).encode())}",
        f"adapters:{_digest(' '.join(adapters).encode())}",
        f"settings:{_digest(' '.join(chosen).encode())}",
    )
    return Fingerprint(_digest(" ".join(parts).encode()), parts, settings.BUILD)
