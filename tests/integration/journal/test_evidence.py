"""An export verifies with its own copy of the verifier and nothing of ours; whatever is changed in it is named."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from journal.models import Event
from journal.selectors.seals import list_seal_keys
from journal.services.append_to_stream import append_to_stream
from journal.services.rotate_seal_key import rotate_seal_key
from kernel.errors import Invalid
from tests.factories import evidence
from tests.factories.journal import AT, draft
from tests.factories.seals import Sealing, sealing_in

pytestmark = pytest.mark.django_db
TEXTS = ['quote " \\ tab \t newline \n é 日本 \x7f', "8=FIX.4.4\x0135=8\x01", "\u2028"]


@pytest.fixture
def sealing(tmp_path: Path, settings: Any) -> Sealing:
    """Four seals by two keys, anchored twice, over streams with every kind of text."""
    sealing = sealing_in(tmp_path, settings, places=2)
    for number in range(4):
        for stream in ("order:1", "order:ü"):
            payload = {"text": TEXTS[number % 3], "n": 2**70, "of": [None, True, {"b": "1.50"}]}
            append_to_stream(drafts=[draft(stream, kind=f"K{i}", payload=payload) for i in range(3)], at=AT)
        sealing.seal()
        if number == 1:
            rotate_seal_key(at=AT)
    return sealing


def test_a_whole_journal_holds_for_a_stranger(sealing: Sealing, tmp_path: Path) -> None:
    made = evidence.export(sealing, tmp_path / "out")
    code, verdict, complaint = evidence.as_a_stranger(made)
    assert (code, verdict["findings"], complaint) == (0, [], "")
    assert verdict["figures"] == {"files": 7, "keys": 2, "seals": 4, "anchors": 8, "events": 24}
    assert any("--trust" in sentence for sentence in verdict["cannot_prove"])
    key_id = list_seal_keys()[0].terms.key_id
    code, verdict, _ = evidence.as_a_stranger(made, "--trust", key_id, "--anchors", str(sealing.anchors))
    assert (code, verdict["figures"]["anchors"]) == (0, 12)
    assert not any("--" in sentence for sentence in verdict["cannot_prove"])
    assert "seal 4" in verdict["cannot_prove"][0]
    told = Event.objects.get(kind="EvidenceExported")
    assert told.payload["scope"] == {"kind": "seals", "from_seal": 1, "to_seal": 4}


def test_a_part_of_the_journal_holds(sealing: Sealing, tmp_path: Path) -> None:
    made = evidence.export(sealing, tmp_path / "out", from_seal=2, to_seal=3)
    assert evidence.codes(made) == []
    with pytest.raises(Invalid, match="SEAL_RANGE_UNKNOWN"):
        evidence.export(sealing, tmp_path / "none", from_seal=2, to_seal=9)
    assert not (tmp_path / "none").exists()
    with pytest.raises(FileExistsError):
        evidence.export(sealing, tmp_path / "out")


def test_what_is_no_export_is_bad_input(sealing: Sealing, tmp_path: Path) -> None:
    made = evidence.export(sealing, tmp_path / "out")
    copy = tmp_path / "empty"
    copy.mkdir()
    shutil.copy(made / "verify_evidence.py", copy)
    assert evidence.as_a_stranger(copy)[0] == 2
    (made / "places.jsonl").write_text("no json\n")
    assert evidence.as_a_stranger(made)[0] == 2
    assert evidence.as_a_stranger(made, "--anchors", "/nowhere")[0] == 2


def _lines(made: Path, name: str, change: Callable[[list[Any]], Any]) -> None:
    """Rewrite a file of JSON lines, its digest in the manifest, and leave the signature."""
    path = made / name
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    changed = change(lines)
    canonical = [json.dumps(line, sort_keys=True, separators=(",", ":")) for line in (changed or lines)]
    path.write_text("".join(f"{line}\n" for line in canonical))


def _signed_by_stranger(lines: list[Any]) -> None:
    lines[0]["signature"] = lines[1]["signature"]


def _count(lines: list[Any]) -> None:
    lines[1]["seal"]["count"] += 1


@pytest.mark.parametrize(
    ("name", "change", "codes"),
    [
        ("seals.jsonl", lambda lines: lines[:2] + lines[3:], ["SEAL_MISSING", "EVENT_UNSEALED"]),
        ("seals.jsonl", _signed_by_stranger, ["SEAL_SIGNATURE_WRONG", "ANCHOR_DIFFERS"]),
        (
            "seals.jsonl",
            _count,
            ["SEAL_SIGNATURE_WRONG", "SEAL_LINK_BROKEN", "ANCHOR_DIFFERS", "SEALED_EVENTS_MISSING"],
        ),
        ("keys.jsonl", _signed_by_stranger, ["KEY_SIGNATURE_WRONG", "SEAL_KEY_UNKNOWN", "ANCHOR_DIFFERS"]),
        ("keys.jsonl", lambda lines: lines[:1], ["MANIFEST_SIGNATURE_WRONG", "SEAL_KEY_UNKNOWN", "ANCHOR_DIFFERS"]),
        ("anchors/2.jsonl", lambda lines: lines[:3], ["ANCHOR_MISSING"]),
        ("anchors/2.jsonl", lambda lines: lines[:1] + lines[2:], ["ANCHOR_MISSING"]),
        ("anchors/1.jsonl", lambda lines: [lines[1], lines[0], *lines[2:]], ["ANCHOR_OUT_OF_ORDER"]),
        ("places.jsonl", lambda lines: [lines[1], lines[0], *lines[2:]], ["EVENT_ALTERED"]),
        ("places.jsonl", lambda lines: [{**one, "hash": "00" * 32} for one in lines], ["EVENT_ALTERED"]),
    ],
)
def test_a_changed_file_is_named_and_what_it_breaks(
    sealing: Sealing, tmp_path: Path, name: str, change: Any, codes: list[str]
) -> None:
    made = evidence.export(sealing, tmp_path / "out")
    _lines(made, name, change)
    found = evidence.codes(made)
    assert found[0] == "FILE_CHANGED"
    assert [code for code in codes if code not in found] == []


def test_files_that_vanish_or_appear_and_keys_that_are_not_ours(sealing: Sealing, tmp_path: Path) -> None:
    made = evidence.export(sealing, tmp_path / "out")
    assert evidence.codes(made, trust="0" * 32)[0] == "KEY_NOT_TRUSTED"
    (made / "note.txt").write_text("trust me")
    assert evidence.codes(made) == ["FILE_EXTRA"]
    (made / "note.txt").unlink()
    (made / "manifest.sig.json").unlink()
    assert evidence.codes(made) == ["MANIFEST_UNSIGNED"]
    (made / "events.jsonl").unlink()
    with pytest.raises(Exception, match="more lines"):
        evidence.codes(made)


def test_an_outside_anchor_tells_a_journal_that_was_cut_back_or_sealed_again(sealing: Sealing, tmp_path: Path) -> None:
    made = evidence.export(sealing, tmp_path / "out", to_seal=2)
    kept = tmp_path / "kept.jsonl"
    lines = sealing.anchors.read_bytes().splitlines(keepends=True)
    kept.write_bytes(lines[0] + lines[1].replace(b'"count":6', b'"count":7'))
    assert evidence.codes(made, anchors=kept) == ["ANCHOR_DIFFERS"]
