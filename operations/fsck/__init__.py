"""The house proves its own invariants: set-based checks over one snapshot of the database (ADR 0017).

``registry.CHECKS`` is the list, ``prove.prove`` carries checks out, ``snapshot`` is what they read. Nothing here writes;
what follows from a finding (a block, an anomaly) is ``operations.services.answer_for_invariants``.
"""
