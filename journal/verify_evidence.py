"""Verify an export of evidence, offline. One file: it needs Python 3.10 or later, ``cryptography``, and nothing of the house.

    python verify_evidence.py DIRECTORY|PACK.zip|PACK.json [--json] [--trust KEY] [--anchors FILE]

Exit code 0: everything holds. 1: something is not as it was sealed. 2: this is no export. 3: it cannot run here.

``--trust`` names a key (its id or its 64 hexadecimal digits) that you got from somewhere else; without it the keys in the
export are taken at their word. ``--anchors`` is an anchor file you kept outside the house; the seals must agree with it.
What the files hold and every rule applied here is written down in docs/formats/evidence.md.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import re
import sys
import tempfile
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

FORMAT = "oms-evidence/1"
ZEROS = "00" * 32
Json = dict[str, Any]


class BadInput(Exception):
    """This is not an export that can be read; one sentence."""


@dataclass
class Verdict:
    """What was looked at, and what is wrong."""

    findings: list[Json] = field(default_factory=list)
    figures: dict[str, int] = field(default_factory=dict)

    def find(self, code: str, sentence: str) -> None:
        self.findings.append({"code": code, "sentence": sentence})

    def count(self, name: str, by: int = 1) -> None:
        self.figures[name] = self.figures.get(name, 0) + by


def canonical(value: Any) -> bytes:
    """The bytes that are signed: JSON with sorted keys and no spaces; only ASCII occurs."""
    return json.dumps(value, sort_keys=True, separators=(",", ":")).encode("ascii")


def sha256(data: bytes) -> bytes:
    return hashlib.sha256(data).digest()


def is_signed(text: bytes, signature: str, public_key: str) -> bool:
    """Ed25519; whatever cannot be read as key or signature is not signed."""
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    try:
        Ed25519PublicKey.from_public_bytes(bytes.fromhex(public_key)).verify(bytes.fromhex(signature), text)
    except (InvalidSignature, ValueError):
        return False
    return True


def lines_of(path: Path) -> Iterator[bytes]:
    """Lines without their ends; a missing file has none."""
    if path.is_file():
        with path.open("rb") as handle:
            for line in handle:
                yield line.rstrip(b"\n")


def objects_of(path: Path) -> Iterator[Json]:
    """One JSON object a line. Raises BadInput for anything else."""
    for number, line in enumerate(lines_of(path), 1):
        try:
            found = json.loads(line)
        except ValueError as problem:
            raise BadInput(f"Line {number} of {path.name} is no JSON.") from problem
        if not isinstance(found, dict):
            raise BadInput(f"Line {number} of {path.name} is no JSON object.")
        yield found


def read_manifest(directory: Path) -> Json:
    """The manifest. Raises BadInput when the directory is no export."""
    try:
        manifest = json.loads((directory / "manifest.json").read_bytes())
    except (OSError, ValueError) as problem:
        raise BadInput(f"{directory} holds no manifest.json that can be read.") from problem
    if not isinstance(manifest, dict) or manifest.get("format") != FORMAT:
        raise BadInput(f"{directory} is no export of the format {FORMAT}.")
    return manifest


def check_files(directory: Path, manifest: Json, verdict: Verdict) -> None:
    """Every file is the one that was written, none is missing, none was put beside them."""
    listed = manifest["files"]
    for name, said in sorted(listed.items()):
        path = directory / name
        if not path.is_file():
            verdict.find("FILE_MISSING", f"{name} is missing.")
            continue
        digest = hashlib.sha256()
        with path.open("rb") as handle:
            for block in iter(lambda handle=handle: handle.read(1 << 20), b""):  # type: ignore[misc]
                digest.update(block)
        verdict.count("files")
        if digest.hexdigest() != said["sha256"]:
            verdict.find("FILE_CHANGED", f"{name} is another file than the one the manifest lists.")
    known = {*listed, "manifest.json", "manifest.sig.json"}
    for path in sorted(directory.rglob("*")):
        name = path.relative_to(directory).as_posix()
        if path.is_file() and name not in known and "__pycache__" not in name:
            verdict.find("FILE_EXTRA", f"{name} is not in the manifest.")


def read_keys(directory: Path, trust: str, verdict: Verdict) -> dict[str, str]:
    """Public keys by id: those on the chain from the first key, each introduced by the signature of the one before."""
    keys = list(objects_of(directory / "keys.jsonl"))
    following = {one["key"]["predecessor"]: one for one in keys if one["key"]["predecessor"] != one["key"]["key_id"]}
    chain = [one for one in keys if one["key"]["predecessor"] == one["key"]["key_id"]][:1]
    while chain and chain[-1]["key"]["key_id"] in following:
        chain.append(following.pop(chain[-1]["key"]["key_id"]))
    trusted: dict[str, str] = {}
    for before, one in zip(chain[:1] + chain, chain, strict=False):
        key = one["key"]
        if sha256(bytes.fromhex(key["public_key"])).hex()[:32] != key["key_id"]:
            verdict.find("KEY_ID_WRONG", f"Key {key['key_id']} does not have the id its bytes give.")
        elif not is_signed(canonical(key), one["signature"], before["key"]["public_key"]):
            verdict.find("KEY_SIGNATURE_WRONG", f"Key {key['key_id']} is not introduced by its predecessor.")
        else:
            trusted[key["key_id"]] = key["public_key"]
    for one in keys:
        if one not in chain:
            verdict.find("KEY_UNKNOWN", f"Key {one['key']['key_id']} was introduced by no key before it.")
    if trust and trust not in trusted and trust not in trusted.values():
        verdict.find("KEY_NOT_TRUSTED", f"The key you trust, {trust}, is none of those that sealed this.")
        return {}
    verdict.figures["keys"] = len(trusted)
    return trusted


def check_manifest_signature(directory: Path, keys: dict[str, str], verdict: Verdict) -> None:
    """The exporter's signature over the manifest, and through it over every file."""
    try:
        signed = json.loads((directory / "manifest.sig.json").read_bytes())
        key_id, signature = str(signed["key_id"]), str(signed["signature"])
    except (OSError, ValueError, KeyError, TypeError):
        verdict.find("MANIFEST_UNSIGNED", "The manifest is not signed.")
        return
    text = (directory / "manifest.json").read_bytes()
    if key_id not in keys or not is_signed(text, signature, keys[key_id]):
        verdict.find("MANIFEST_SIGNATURE_WRONG", "The signature of the manifest does not fit a key of the journal.")


def read_seals(directory: Path, keys: dict[str, str], verdict: Verdict) -> dict[int, Json]:
    """Every seal by number, after its signature and its link to its neighbour were checked."""
    seals: dict[int, Json] = {}
    before: Json | None = None
    for one in objects_of(directory / "seals.jsonl"):
        seal, number = one["seal"], one["seal"]["number"]
        verdict.count("seals")
        if seal["key_id"] not in keys:
            verdict.find("SEAL_KEY_UNKNOWN", f"Nobody we trust introduced {seal['key_id']}, the key of seal {number}.")
        elif not is_signed(canonical(seal), one["signature"], keys[seal["key_id"]]):
            verdict.find("SEAL_SIGNATURE_WRONG", f"The signature of seal {number} does not fit what it says.")
        if before is not None and number <= before["number"]:
            verdict.find("SEAL_OUT_OF_ORDER", f"Seal {number} stands behind seal {before['number']}.")
        elif before is not None and number == before["number"] + 1:
            check_link(before, seal, verdict)
        elif number == 1 and (seal["previous"] != ZEROS or seal["from_position"] != 1):
            verdict.find("SEAL_LINK_BROKEN", "Seal 1 says that something was sealed before it.")
        seals[number] = one
        before = seal
    return seals


def check_link(before: Json, seal: Json, verdict: Verdict) -> None:
    """Neighbours: the hash of the one before, and ranges that join."""
    if seal["previous"] != sha256(canonical(before)).hex():
        verdict.find("SEAL_LINK_BROKEN", f"Seal {seal['number']} does not follow seal {before['number']}.")
    if seal["from_position"] != before["to_position"] + 1:
        verdict.find("SEAL_RANGE_BROKEN", f"Seal {seal['number']} does not begin where seal {before['number']} ends.")


def check_anchors(
    path: Path, name: str, manifest: Json, seals: dict[int, Json], keys: dict[str, str], verdict: Verdict
) -> None:
    """One anchor file: neighbours chained, the same seals as here, none missing, none the journal has lost."""
    seen: set[int] = set()
    before: tuple[int, str] | None = None
    for line in lines_of(path):
        try:
            found = json.loads(line)
            number, seal, signature = found["seal"]["number"], found["seal"], found["signature"]
        except (ValueError, KeyError, TypeError):
            verdict.find("ANCHOR_UNREADABLE", f"{name} has a line that is no anchor.")
            continue
        verdict.count("anchors")
        neighbours = before is not None and number == before[0] + 1
        if (neighbours and found["chain"] != (before or (0, ""))[1]) or (number == 1 and found["chain"] != ZEROS):
            verdict.find("ANCHOR_CHAIN_BROKEN", f"Seal {number} in {name} does not follow the line before.")
        if before is not None and number <= before[0]:
            verdict.find("ANCHOR_OUT_OF_ORDER", f"{name} has seal {number} behind seal {before[0]}.")
        before = (number, sha256(line).hex())
        seen.add(number)
        if (ours := seals.get(number)) is None:
            if number > manifest["last_seal"] and seal["sealed_at"] <= manifest["made_at"]:
                last = manifest["last_seal"]
                verdict.find("ANCHOR_AHEAD", f"{name} holds seal {number}; the journal ends with {last}.")
            continue
        if canonical(seal) != canonical(ours["seal"]) or signature != ours["signature"]:
            verdict.find("ANCHOR_DIFFERS", f"{name} says something else of seal {number} than the journal.")
        elif keys.get(seal["key_id"]) != found["public_key"]:
            verdict.find("ANCHOR_DIFFERS", f"{name} names another key for seal {number} than the journal.")
    missing = sorted(set(seals) - seen)
    if missing and seen and missing == [number for number in sorted(seals) if number > max(seen)]:
        verdict.find("ANCHOR_MISSING", f"{name} ends with {max(seen)}, before {missing[-1]}.")
    elif missing:
        verdict.find("ANCHOR_MISSING", f"{name} lacks {len(missing)} seals, the first of them {missing[0]}.")


def leaf_hash(position: int, event_hash: str) -> bytes:
    return sha256(b"\x00" + position.to_bytes(8, "big") + bytes.fromhex(event_hash))


def tree_root(leaves: list[bytes]) -> str:
    """The root; a node without a neighbour moves up unchanged, which is the tree of RFC 6962."""
    level = list(leaves)
    while len(level) > 1:
        pairs = [sha256(b"\x01" + level[at] + level[at + 1]) for at in range(0, len(level) - 1, 2)]
        level = pairs + level[-1:] if len(level) % 2 else pairs
    return level[0].hex() if level else sha256(b"").hex()


def root_of_path(leaf: bytes, index: int, size: int, path: list[str]) -> str | None:
    """Where a leaf and its neighbours lead; None when the path is not one of such a tree."""
    node, rest = leaf, [bytes.fromhex(one) for one in path]
    if not 0 <= index < size:
        return None
    while size > 1:
        if index % 2 or index + 1 < size:
            if not rest:
                return None
            neighbour = rest.pop(0)
            node = sha256(b"\x01" + (neighbour + node if index % 2 else node + neighbour))
        index, size = index // 2, (size + 1) // 2
    return None if rest else node.hex()


@dataclass
class Events:
    """Walks events.jsonl and places.jsonl together and keeps the head of each stream."""

    directory: Path
    whole: set[str]
    verdict: Verdict
    partial: frozenset[str] = frozenset()
    heads: dict[str, tuple[int, str]] = field(default_factory=dict)
    wires: dict[int, str] = field(default_factory=dict)

    def walk(self) -> Iterator[tuple[int, str]]:
        """(position, hash) of each event in order of position, after its hash and its link were checked."""
        places = objects_of(self.directory / "places.jsonl")
        last = 0
        for text in lines_of(self.directory / "events.jsonl"):
            place = next(places, None)
            if place is None:
                raise BadInput("places.jsonl has fewer lines than events.jsonl.")
            self.verdict.count("events")
            self._check(text, place)
            if place["position"] <= last:
                self.verdict.find("EVENT_OUT_OF_ORDER", f"Position {place['position']} stands behind {last}.")
            last = place["position"]
            yield last, place["hash"]
        if next(places, None) is not None:
            raise BadInput("places.jsonl has more lines than events.jsonl.")

    def _check(self, text: bytes, place: Json) -> None:
        try:
            event = json.loads(text)
            stream, seq = event["stream"], event["seq"]
        except (ValueError, KeyError, TypeError) as problem:
            raise BadInput(f"The event at position {place['position']} is no JSON object.") from problem
        where = f"Event {seq} of {stream} (position {place['position']})"
        if sha256(bytes.fromhex(place["prev_hash"]) + text).hex() != place["hash"]:
            self.verdict.find("EVENT_ALTERED", f"{where} says something else than when it was written.")
        known = self.heads.get(stream)
        if stream in self.partial and known is not None and seq > known[0] + 1:
            known = None  # chosen events: each is proven by itself
        if known is None and (seq == 1 or stream in self.whole):
            known = (0, ZEROS)
        if known is not None and seq != known[0] + 1:
            self.verdict.find("STREAM_GAP", f"{where} follows {known[0]}; what stood between them is missing.")
        elif known is not None and place["prev_hash"] != known[1]:
            self.verdict.find("STREAM_LINK_BROKEN", f"{where} does not name the hash of the event before it.")
        self.heads[stream] = (seq, place["hash"])
        report = event["payload"].get("report") if isinstance(event["payload"], dict) else None
        if isinstance(report, dict) and "raw_sha256" in report:
            self.wires[report.get("wire_message_id", 0)] = report["raw_sha256"]


def check_range(events: Events, seals: dict[int, Json], manifest: Json, verdict: Verdict) -> None:
    """A run of seals: every one is there, and the events in its range are exactly those it covers."""
    scope = manifest["scope"]
    for number in range(scope["from_seal"], scope["to_seal"] + 1):
        if number not in seals:
            verdict.find("SEAL_MISSING", f"Seal {number} is missing.")
    walk = events.walk()
    event = next(walk, None)
    for number in sorted(seals):
        seal = seals[number]["seal"]
        leaves: list[bytes] = []
        while event is not None and event[0] <= seal["to_position"]:
            if event[0] < seal["from_position"]:
                verdict.find("EVENT_UNSEALED", f"Position {event[0]} lies in no seal.")
            else:
                leaves.append(leaf_hash(*event))
            event = next(walk, None)
        where = f"positions {seal['from_position']} to {seal['to_position']}"
        if len(leaves) != seal["count"]:
            code = "SEALED_EVENTS_MISSING" if len(leaves) < seal["count"] else "SEALED_EVENTS_ADDED"
            verdict.find(code, f"Seal {number} covers {seal['count']} events in {where}; {len(leaves)} are here.")
        elif tree_root(leaves) != seal["root"]:
            verdict.find("SEALED_EVENTS_CHANGED", f"The events in {where} are not those that seal {number} covers.")
    while event is not None:
        verdict.count("unsealed")
        event = next(walk, None)


def check_proofs(events: Events, seals: dict[int, Json], manifest: Json, verdict: Verdict) -> None:
    """Chosen events: each leads to the root of its seal by the path given."""
    proofs = {one["position"]: one for one in objects_of(events.directory / "proofs.jsonl")}
    for position, digest in events.walk():
        proof = proofs.get(position)
        if proof is None:
            if position > manifest["sealed_to"]:
                verdict.count("unsealed")
            else:
                verdict.find("PROOF_MISSING", f"Position {position} lies in a sealed range and has no proof.")
            continue
        seal = (seals.get(proof["seal"]) or {}).get("seal")
        if seal is None:
            verdict.find("SEAL_MISSING", f"Seal {proof['seal']}, which covers position {position}, is missing.")
        elif not seal["from_position"] <= position <= seal["to_position"] or seal["root"] != root_of_path(
            leaf_hash(position, digest), proof["index"], seal["count"], proof["path"]
        ):
            verdict.find("INCLUSION_FAILS", f"Position {position} leads to no seal {seal['number']}.")
        else:
            verdict.count("proven")


def check_messages(directory: Path, events: Events, verdict: Verdict) -> None:
    """Raw FIX messages: the text has the digest it is listed with, and the one the event that came of it names."""
    for one in objects_of(directory / "messages.jsonl"):
        verdict.count("messages")
        digest = sha256(one["raw"].encode()).hex()
        named = events.wires.get(one["id"])
        if digest != one["sha256"] or (named is not None and named != digest):
            verdict.find("MESSAGE_DIFFERS", f"Message {one['id']} is not the one the journal read.")
        elif named is not None:
            verdict.count("messages_bound")


def verify(directory: Path, *, trust: str = "", anchors: Path | None = None) -> Json:
    """Everything, as one JSON object. Raises BadInput."""
    manifest = read_manifest(directory)
    verdict = Verdict()
    try:
        check_files(directory, manifest, verdict)
        keys = read_keys(directory, trust, verdict)
        check_manifest_signature(directory, keys, verdict)
        seals = read_seals(directory, keys, verdict)
        places = sorted(name for name in manifest["files"] if name.startswith("anchors/"))
        for name, path in [
            *((name, directory / name) for name in places),
            *([(str(anchors), anchors)] if anchors else []),
        ]:
            check_anchors(path, name, manifest, seals, keys, verdict)
        scope = manifest["scope"]
        whole, partial = set(scope.get("whole_streams", ())), frozenset(scope.get("partial_streams", ()))
        events = Events(directory, whole, verdict, partial)
        check = check_range if scope["kind"] == "seals" else check_proofs
        check(events, seals, manifest, verdict)
        check_messages(directory, events, verdict)
    except (KeyError, TypeError, AttributeError, ValueError, OverflowError) as problem:
        raise BadInput(f"A file of {directory} lacks what the format asks for ({problem!r}).") from problem
    return {
        "format": "oms-verdict/1",
        "holds": not verdict.findings,
        "scope": manifest["scope"],
        "made_at": manifest["made_at"],
        "findings": verdict.findings,
        "figures": verdict.figures,
        "key_ids": sorted(keys),
        "proves": PROVES[manifest["scope"]["kind"]] if not verdict.findings else [],
        "cannot_prove": limits(manifest, verdict, trust=bool(trust), outside=anchors is not None),
    }


PROVES = {
    "order": [
        "Each event says what it said when it was written.",
        "Each proven event stood at its position when its seal was signed; none of them was put in later.",
        "The streams named as whole begin at their first event and have no gap up to their last event here.",
    ],
    "seals": [
        "The events are exactly those the seals cover: none was changed, taken away or put in since each seal was signed.",
        "Each event follows the event before it in its stream, and the seals follow one another without a gap.",
    ],
}
PROVES["subject"] = PROVES["order"]


def limits(manifest: Json, verdict: Verdict, *, trust: bool, outside: bool) -> list[str]:
    """What nobody can conclude from this export, in plain sentences."""
    answer = []
    if not verdict.figures.get("anchors"):
        answer.append("That the seals are older than this export: no anchor file came with it.")
    if unsealed := verdict.figures.get("unsealed", 0):
        answer.append(f"{unsealed} events were not sealed when this was made; they could still be changed unseen.")
    if manifest["scope"].get("partial_streams"):
        answer.append("What else stands in the streams named as partial: only chosen events of them are here.")
    if manifest["scope"]["kind"] != "seals":
        answer.append("Whether later events of these streams exist: an export of a run of seals shows that.")
    else:
        last = manifest["scope"]["to_seal"]
        answer.append(f"Anything behind seal {last}, unless a later anchor is kept outside: a cut looks the same.")
    if not outside:
        answer.append("That nobody with the key sealed it all anew: pass an anchor file you kept with --anchors.")
    if not trust:
        answer.append("Whose keys these are: compare the key ids with ones you got elsewhere, or pass --trust.")
    if unbound := verdict.figures.get("messages", 0) - verdict.figures.get("messages_bound", 0):
        answer.append(f"{unbound} raw messages, which no sealed event names: they have the exporter's signature alone.")
    answer.append("That what an event says is true: only who said it, when, and that it was not changed since.")
    return answer


def show(result: Json) -> str:
    """The result for people."""
    figures = ", ".join(f"{count} {name.replace('_', ' ')}" for name, count in sorted(result["figures"].items()))
    rows = [f"{'HOLDS' if result['holds'] else 'DOES NOT HOLD'}: {figures}"]
    rows += [f"  {one['code']}: {one['sentence']}" for one in result["findings"]]
    for title, name in (("It proves", "proves"), ("It cannot prove", "cannot_prove")):
        rows += [f"{title}:", *(f"  - {sentence}" for sentence in result[name])] if result[name] else []
    return "\n".join([*rows, f"Keys: {', '.join(result['key_ids']) or 'none that can be trusted'}"])


def unpacked(pack: Path, directory: Path) -> Path:
    """The parts of a pack, ZIP or JSON, as files in a directory. Raises BadInput."""
    try:
        if zipfile.is_zipfile(pack):
            with zipfile.ZipFile(pack) as archive:
                parts = {one.filename: archive.read(one) for one in archive.infolist() if one.file_size < 1 << 30}
        else:
            parts = {name: text.encode() for name, text in json.loads(pack.read_bytes())["parts"].items()}
    except Exception as problem:
        raise BadInput(f"{pack} is no pack that can be read ({problem!r}).") from problem
    for name, body in parts.items():
        if not re.fullmatch(r"(anchors/)?[A-Za-z0-9_][A-Za-z0-9_.-]*", name):
            raise BadInput(f"{pack} holds a file that no pack has: {name!r}.")
        (directory / name).parent.mkdir(exist_ok=True)
        (directory / name).write_bytes(body)
    return directory


def main(arguments: list[str] | None = None) -> int:
    """The command line."""
    parser = argparse.ArgumentParser(description="Verify an export of evidence, offline.")
    parser.add_argument("directory", type=Path)
    parser.add_argument("--json", action="store_true", help="one JSON object on one line")
    parser.add_argument("--trust", default="", metavar="KEY", help="id or hexadecimal digits of a key you trust")
    parser.add_argument("--anchors", type=Path, metavar="FILE", help="an anchor file you kept yourself")
    given = parser.parse_args(arguments)
    try:
        import cryptography  # noqa: F401 - asked for before anything is read
    except ImportError:
        sys.stderr.write("cannot run: the Python package cryptography is needed.\n")
        return 3
    try:
        if given.anchors is not None and not given.anchors.is_file():
            raise BadInput(f"There is no file {given.anchors}.")
        with tempfile.TemporaryDirectory() as place:
            directory = unpacked(given.directory, Path(place)) if given.directory.is_file() else given.directory
            result = verify(directory, trust=given.trust, anchors=given.anchors)
    except BadInput as problem:
        sys.stderr.write(f"{problem}\n")
        return 2
    sys.stdout.write((json.dumps(result) if given.json else show(result)) + "\n")
    return 0 if result["holds"] else 1


if __name__ == "__main__":
    sys.exit(main())
