"""What the architecture tests walk over: rooms, their floors, and their Python files."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]

FLOORS: dict[str, int] = {
    "kernel": 0,
    "journal": 1,
    "authorisation": 2,
    "refdata": 3,
    "accounts": 4,
    "risk": 5,
    "orders": 6,
    "venues": 7,
    "allocations": 7,
    "reconciliation": 8,
    "outbound": 8,
    "operations": 9,
}

ROOMS_WITH_TABLES = [
    "journal",
    "authorisation",
    "refdata",
    "accounts",
    "risk",
    "orders",
    "allocations",
    "venues",
    "allocations",
    "outbound",
    "reconciliation",
    "operations",
]


def python_files(*packages: str) -> Iterator[Path]:
    """Every source file of the packages, migrations left out."""
    for package in packages:
        for path in sorted((ROOT / package).rglob("*.py")):
            if "migrations" not in path.parts:
                yield path


def functions(path: Path) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    """Every function and method of a file."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node
