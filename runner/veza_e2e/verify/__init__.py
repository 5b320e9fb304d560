"""Checks offline whether the archive's files are unchanged, and says what that cannot prove."""

from veza_e2e.verify.archive import verify_archive
from veza_e2e.verify.checks import LIMITS, Check, CheckStatus, lacks_signature
from veza_e2e.verify.session import verify
from veza_e2e.verify.several import verify_several

__all__ = ["LIMITS", "Check", "CheckStatus", "lacks_signature", "verify", "verify_archive", "verify_several"]
