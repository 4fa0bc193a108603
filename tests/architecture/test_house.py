"""The house keeps its shape: floors, keys, shelves, sizes."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest
from django.apps import apps
from django.db.models import ForeignKey, ManyToManyField, OneToOneField

from tests.architecture.house import FLOORS, ROOMS_WITH_TABLES, ROOT, functions, python_files

SHELVES = {
    "README.md",
    "__init__.py",
    "adapters",
    "admin.py",
    "api",
    "apps.py",
    "as_at.py",
    "data",
    "domain",
    "forms.py",
    "locks.py",
    "management",
    "migrations",
    "models",
    "models.py",
    "permissions.py",
    "selectors.py",
    "selectors",
    "services",
    "tasks.py",
    "templatetags",
    "urls.py",
    "views.py",
    "views",
}
# What one room has beyond the common shelves, because it alone needs it.
OWN_SHELVES = {
    "journal": {
        "anchors.py",
        "bulk.py",
        "notify.py",
        "seal_key.py",
        "singleton.py",
        "triggers.py",
        "verify_evidence.py",
    },
    "authorisation": {
        *("middleware.py", "session_store.py", "signing_in.py", "stepping_up.py", "enrolling.py", "authenticators.py"),
        *("guards.py", "password_rules.py", "sealing.py", "security_log.py", "sources.py"),
    },
    "refdata": {"feeds.py"},
    "orders": {
        *("scenario_disorder.py", "scenario_file.py", "scenario_play.py", "scenario_runner.py"),
        "upload_files.py",
    },
    "venues": {
        *("gateway", "gateway.py", "inbox", "inbox.py", "simulator"),
        *("scenario_database.py", "scenario_world.py", "simulation", "simulation_database"),
    },
    "risk": {"rulebook"},
    "outbound": {"deliverer.py", "sending.py"},
    "allocations": {"custodian", "formats", "printing"},
    "reconciliation": {"formats", "matching", "reports", "staging.py", "kept_files.py", "signatures.py", "transports"},
    "operations": {
        "approving.py",
        "context.py",
        "exporting",
        "fsck",
        "navigation.py",
        "picture",
        "stream.py",
        "stream",
    },
}
SOURCES = [*FLOORS, "oms_project", "benchmarks", "tests"]


def test_imports_go_down() -> None:
    lint_imports = Path(sys.executable).parent / "lint-imports"
    result = subprocess.run([lint_imports, "--no-cache"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stdout


def test_contracts_have_no_exceptions() -> None:
    assert "ignore_imports" not in (ROOT / "pyproject.toml").read_text()


def test_foreign_keys_go_down() -> None:
    upward = []
    for model in apps.get_models():
        here = FLOORS.get(model._meta.app_label)
        if here is None:
            continue
        for field in model._meta.get_fields():
            if isinstance(field, ForeignKey | OneToOneField | ManyToManyField):
                target = field.related_model._meta.app_label
                there = FLOORS.get(target)
                if there is not None and (there > here or (there == here and target != model._meta.app_label)):
                    upward.append(f"{model._meta.label}.{field.name} -> {target}")
    assert upward == []


@pytest.mark.parametrize("room", ROOMS_WITH_TABLES)
def test_rooms_have_the_same_shelves(room: str) -> None:
    allowed = SHELVES | OWN_SHELVES.get(room, set())
    found = {path.name for path in (ROOT / room).iterdir() if path.name != "__pycache__"}
    assert found - allowed == set()
    assert "README.md" in found, f"{room} does not say what it decides"


@pytest.mark.parametrize("room", ROOMS_WITH_TABLES)
def test_a_service_file_is_named_after_its_function(room: str) -> None:
    wrong = []
    for path in sorted((ROOT / room / "services").glob("*.py")):
        if path.name == "__init__.py" or path.name.startswith("_"):
            continue
        body = ast.parse(path.read_text()).body
        public = {node.name for node in body if isinstance(node, ast.FunctionDef) and not node.name.startswith("_")}
        # A decision is a method of its subject, under the name of the service.
        public |= {
            name.id
            for node in body
            if isinstance(node, ast.Assign)
            for name in node.targets
            if isinstance(name, ast.Name)
        }
        expected = "handle" if path.stem.startswith("on_") else path.stem
        if expected not in public:
            wrong.append(f"{path.relative_to(ROOT)} has no public function {expected}")
    assert wrong == []


def test_rows_are_locked_only_on_the_lock_shelf() -> None:
    wrong = []
    for path in python_files(*ROOMS_WITH_TABLES):
        if path.name == "locks.py":
            continue
        text = path.read_text()
        if "select_for_update" in text or "FOR UPDATE" in text or "FOR NO KEY UPDATE" in text:
            wrong.append(str(path.relative_to(ROOT)))
    assert wrong == []


def test_no_signal_receivers() -> None:
    wrong = [
        str(path.relative_to(ROOT))
        for path in python_files(*FLOORS, "oms_project")
        if "django.dispatch" in path.read_text() or "db.models.signals" in path.read_text()
    ]
    assert wrong == []


def test_domain_has_no_clock() -> None:
    wrong = []
    for room in FLOORS:
        for path in python_files(f"{room}/domain") if (ROOT / room / "domain").exists() else []:
            text = path.read_text()
            if "utc_now" in text or "datetime.now" in text or "time.time(" in text:
                wrong.append(str(path.relative_to(ROOT)))
    assert wrong == []


def test_files_stay_short() -> None:
    long_files = [
        f"{path.relative_to(ROOT)}: {lines}"
        for path in python_files(*SOURCES)
        if (lines := len(path.read_text().splitlines())) > 500
    ]
    for folder in ("static", "templates"):
        for path in sorted((ROOT / folder).rglob("*.*")):
            if "vendor" in path.parts or path.suffix not in {".js", ".css", ".html"}:
                continue
            lines = len(path.read_text().splitlines())
            if lines > 500:
                long_files.append(f"{path.relative_to(ROOT)}: {lines}")
    assert long_files == []


def test_functions_stay_short() -> None:
    long_functions = [
        f"{path.relative_to(ROOT)}:{node.lineno} {node.name}: {length}"
        for path in python_files(*FLOORS, "oms_project", "benchmarks")
        for node in functions(path)
        if (length := (node.end_lineno or 0) - node.lineno + 1) > 70
    ]
    assert long_functions == []


def test_every_module_says_what_it_decides() -> None:
    silent = [
        str(path.relative_to(ROOT))
        for path in python_files(*FLOORS, "oms_project", "benchmarks")
        if path.name not in {"__init__.py", "apps.py"} and not ast.get_docstring(ast.parse(path.read_text()))
    ]
    assert silent == []


def test_the_root_stays_small() -> None:
    """25 entries, ``outbound``, a room that came after they were counted, and ``clients``, which partners take away."""
    listed = subprocess.run(
        ["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout.splitlines()
    entries = {line.split("/", 1)[0] for line in listed}
    assert len(entries - {"clients", "outbound"}) <= 25, sorted(entries)
