"""One redactor for the journal, the recordings, error texts and the gate."""

from veza_e2e.redaction.gate import Finding, Gate
from veza_e2e.redaction.names import classify
from veza_e2e.redaction.patterns import ALIAS, WITHHELD, mask
from veza_e2e.redaction.redactor import Exact, Redactor

__all__ = ["ALIAS", "WITHHELD", "Exact", "Finding", "Gate", "Redactor", "classify", "mask"]
