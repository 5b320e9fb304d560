"""Finds and replaces secrets in what is stored or shown."""

from veza_e2e.redaction.encodings import Exact
from veza_e2e.redaction.names import classify
from veza_e2e.redaction.patterns import WITHHELD, lacking, mask
from veza_e2e.redaction.redactor import Redactor

__all__ = ["WITHHELD", "Exact", "Redactor", "classify", "lacking", "mask"]
