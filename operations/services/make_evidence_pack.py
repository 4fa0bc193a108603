"""Make the evidence of one subject as one file: a ZIP, the same parts as one JSON, or a PDF to read.

The parts are an export of the journal (events as they were hashed, proofs, seals, anchors, raw messages, the verifier) with what
people read beside it: timeline, checks and the facts they were given, approvals, bookings, people. The manifest lists every
part with its SHA-256 and is signed where the key that seals is at hand. Layout: ``docs/formats/evidence_pack.md``.

The same facts at the same time give the same bytes. That it was taken, by whom, and its digest are on record before it leaves.
What is for compliance alone is in no pack.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from authorisation.domain.principal import Principal
from journal.domain.records import EventRecord
from journal.services.export_evidence import EvidenceMade, export_streams
from kernel.canonical import canonical_json, jsonable, sha256
from kernel.errors import Invalid
from operations.exporting import Column, ExportedFile, Heading, Section, make_table, pdf_of, zip_of
from operations.exporting.csv_file import csv_of
from operations.exporting.json_file import json_of
from operations.permissions import require_audit
from operations.selectors.audit import tables
from operations.selectors.audit.dossier import Dossier, get_dossier
from operations.selectors.audit.seeing import RESTRICTION
from operations.selectors.audit.timeline import Timeline, make_timeline
from operations.services.export_order_evidence import prices_seen
from operations.services.record_read import EVIDENCE_TAKEN, record_read
from risk.domain.checks.gates import RESTRICTED_SOURCE
from risk.domain.conduct import FOR_COMPLIANCE_ALONE
from venues.selectors import iterate_raw_messages

PACKABLE = ("order", "approval", "limit", "rule", "stop", "person")
FORMS = {"zip": "application/zip", "json": "application/json", "pdf": "application/pdf"}
PACK = "oms-pack/1"
MOST_MESSAGES = 5_000
README = """EVIDENCE OF {title}
taken by {who} at {at}

Nothing of the house is needed to verify this. With Python 3.10 or later and the package cryptography:

    python verify_evidence.py .            (or the ZIP or JSON file itself in the place of the dot)

It recomputes the hash of every event, the path of each to the root of a signed seal, the seals, their keys and the anchor
files, the digest of each raw message, and compares every file with manifest.json and its signature. It ends with 0 when all
holds and says in words what that proves and what it cannot. To trust nobody: get the id of the key elsewhere (--trust), keep
an anchor file of your own (--anchors), and read verify_evidence.py, or write another from docs/formats/evidence.md.

events.jsonl      the events, exactly the bytes that were hashed; places.jsonl says where each stands
seals.jsonl keys.jsonl proofs.jsonl anchors/      what seals them
messages.jsonl    raw FIX messages; prices.jsonl the prices that decisions saw
timeline.json timeline.csv      the same as people read it: by the time it happened, late arrivals marked
checks.json       every check of every request with its answer and the facts it was given
approvals.json bookings.json people.json

Without manifest.sig.json the key that seals was not at hand where this was made: take it with ./oms evidence instead.
"""


def make_evidence_pack(
    *,
    actor: Principal,
    at: datetime,
    build: str,
    kind: str,
    key: str,
    form: str = "zip",
    zone: str = "UTC",
    places: Sequence[str] | None = None,
) -> ExportedFile:
    """Raises NotPermitted, NotFound SUBJECT_UNKNOWN, Invalid EVIDENCE_FORM_UNKNOWN, EVIDENCE_TOO_LARGE."""
    require_audit(actor)
    if kind not in PACKABLE or form not in FORMS:
        raise Invalid("EVIDENCE_FORM_UNKNOWN", f"Evidence is of {', '.join(PACKABLE)}, as {', '.join(FORMS)}.")
    dossier = get_dossier(actor, kind, key)
    _require_small(dossier)
    dossier.events = [event for event in dossier.events if not _is_hidden(event)]
    timeline = make_timeline(dossier)
    heading = Heading(f"Evidence {kind} {key}", actor.username, at, zone, {"subject": dossier.subject.title})
    with TemporaryDirectory(prefix="oms-evidence-") as place:
        made = _export(Path(place), actor, at, build, timeline, heading, places)
        parts = {
            path.relative_to(place).as_posix(): path.read_bytes()
            for path in sorted(Path(place).rglob("*"))
            if path.is_file()
        }
    body = _as_form(form, parts, timeline, heading, made)
    digest = sha256(body).hex()
    manifest = sha256(parts["manifest.json"]).hex()
    record_read(
        actor=actor, at=at, kind=EVIDENCE_TAKEN,
        what={
            "kind": kind, "key": key, "title": dossier.subject.title, "form": form, "sha256": digest, "manifest_sha256": manifest,
            "signed": made.signed, "events": made.events,
        },
    )  # fmt: skip
    safe = "".join(letter if letter.isalnum() or letter in "-." else "-" for letter in key)[:60]
    name = f"evidence-{kind}-{safe}-{at:%Y%m%dT%H%M%SZ}.{form}"
    return ExportedFile(name, FORMS[form], body, digest, manifest, len(timeline.entries))


def _require_small(dossier: Dossier) -> None:
    """A pack is whole or not made."""
    if dossier.left_out or len(dossier.messages) > MOST_MESSAGES:
        raise Invalid(
            "EVIDENCE_TOO_LARGE", "There is more of it than one pack holds: take a run of seals with ./oms evidence."
        )


def _is_hidden(event: EventRecord) -> bool:
    """What only compliance may know of."""
    payload = event.payload
    return (
        payload.get("kind") in FOR_COMPLIANCE_ALONE
        or payload.get("source") == RESTRICTED_SOURCE
        or event.stream == f"rulebook:{RESTRICTION}"
    )


def _export(
    place: Path,
    actor: Principal,
    at: datetime,
    build: str,
    timeline: Timeline,
    heading: Heading,
    places: Sequence[str] | None,
) -> EvidenceMade:
    dossier, order = timeline.dossier, timeline.dossier.order
    scope: dict[str, Any] = {"kind": "subject", "subject": dossier.subject.kind, "key": dossier.subject.key}
    if order is not None:
        scope = {"kind": "order", "order_id": str(order.pk), "ref": order.ref}
    messages = iterate_raw_messages(
        cl_ord_ids=[request.cl_ord_id for request in dossier.requests],
        venue_order_ids=[order.venue_order_id] if order is not None and order.venue_order_id else [],
    )
    return export_streams(
        directory=place,
        streams=dossier.streams,
        whole=dossier.streams,
        chosen={event.id for event in dossier.events},
        extra=_people_read(actor, timeline, heading),
        scope=scope,
        messages=messages if dossier.requests else (),
        prices=prices_seen(dossier.requests),
        actor=actor.actor,
        at=at,
        build=build,
        places=places,
    )


def _people_read(actor: Principal, timeline: Timeline, heading: Heading) -> dict[str, bytes]:
    """The parts that are for people; each is listed in the manifest."""
    dossier = timeline.dossier
    entries = tables.entries_table(heading, timeline.entries)
    title = {"title": dossier.subject.title, "who": heading.who, "at": jsonable(heading.at)}
    return {
        "README.txt": README.format(**title).encode(),
        "timeline.json": json_of(entries),
        "timeline.csv": csv_of(entries),
        "checks.json": _lines(tables.checks_told(actor, dossier)),
        "approvals.json": _lines(tables.approvals_told(dossier)),
        "bookings.json": _lines(tables.bookings_told(dossier)),
        "people.json": _lines(tables.people_told(timeline)),
    }


def _lines(value: Any) -> bytes:
    return json.dumps(value, sort_keys=True, indent=1, ensure_ascii=False).encode() + b"\n"


def _as_form(form: str, parts: Mapping[str, bytes], timeline: Timeline, heading: Heading, made: EvidenceMade) -> bytes:
    if form == "zip":
        return zip_of(parts)
    if form == "json":
        texts = {name: body.decode() for name, body in parts.items()}
        return canonical_json({"format": PACK, "parts": texts}) + b"\n"
    return _pdf(parts, timeline, heading, made)


def _pdf(parts: Mapping[str, bytes], timeline: Timeline, heading: Heading, made: EvidenceMade) -> bytes:
    """To read and to file; the proof is in the ZIP, which is named by the digest of its manifest."""
    dossier, proof = timeline.dossier, timeline.proof
    signed = json.loads(parts["manifest.sig.json"])["key_id"] if made.signed else "nobody: the key was not at hand"
    facts = (
        ("Subject", dossier.subject.title), ("Taken by", heading.who), ("Taken at", f"{heading.local(heading.at)} ({heading.zone})"),
        ("SHA-256 of the manifest", sha256(parts["manifest.json"]).hex()), ("Manifest signed by key", signed),
        ("People", ", ".join(timeline.people)),
        ("Chains", f"{proof.intact} of {proof.events} events in {proof.streams} streams hold; {proof.sealed} are under a seal"),
    )  # fmt: skip
    listed = [(name, len(body), sha256(body).hex()) for name, body in parts.items()]
    columns = (
        Column("name", "Part of the pack"),
        Column("bytes", "Bytes"),
        Column("sha256", "SHA-256"),
    )
    sections = [
        Section("What happened", proof.faults, tables.entries_table(heading, timeline.entries)),
        Section("Checks", (), tables.checks_table(heading, dossier)),
        Section("Approvals", (), tables.approvals_table(heading, dossier)),
        Section("Messages", (), tables.messages_table(heading, dossier)),
        Section(
            "The pack this belongs to",
            (
                "The ZIP of the same subject and time holds these parts and proves them: python verify_evidence.py THE.zip",
            ),
            make_table(heading, columns, listed),
        ),
    ]
    return pdf_of(heading, sections, facts=facts)
