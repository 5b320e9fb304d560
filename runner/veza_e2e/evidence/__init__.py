"""Evidence: what a session's journal proves, by pure functions over its lines."""

from veza_e2e.evidence.glance import Glance, glance
from veza_e2e.evidence.model import Decision, Item, Reconciliation, Step, Summary
from veza_e2e.evidence.summary import beside_dry_run, counts_as_dry_run, summarise
from veza_e2e.journal.addenda import (
    ADDENDA,
    Addendum,
    AddendumError,
    Attestation,
    BankStatement,
    Dashboard,
    EvidenceFile,
    Reread,
    RowsSupplied,
)
from veza_e2e.journal.seals import seal, unseal

__all__ = [
    "ADDENDA",
    "Addendum",
    "AddendumError",
    "Attestation",
    "BankStatement",
    "Dashboard",
    "Decision",
    "EvidenceFile",
    "Glance",
    "Item",
    "Reconciliation",
    "Reread",
    "RowsSupplied",
    "Step",
    "Summary",
    "beside_dry_run",
    "counts_as_dry_run",
    "glance",
    "seal",
    "summarise",
    "unseal",
]
