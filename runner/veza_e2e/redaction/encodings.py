"""Encodes secrets in every form that a text may hold, and decodes bodies."""

from __future__ import annotations

import base64
import html
import json
import zlib
from itertools import product
from urllib.parse import quote, quote_plus

SHORT = 8
"""Values shorter than this are too common to search for inside longer words."""

_LIMIT = 4 * 1024 * 1024


class Exact(str):
    """A JSON number with a fraction or an exponent, as the digits that were sent, never a float."""

    __slots__ = ()


def variants(value: str) -> list[str]:
    """Return the forms in which a text may hold a secret: plain, URL-encoded, escaped, hex."""
    forms = {value, quote(value, safe=""), quote_plus(value), html.escape(value), json.dumps(value)[1:-1]}
    forms.add(json.dumps(value, ensure_ascii=False)[1:-1])
    spelled = value.encode("utf-8", "replace").hex()
    forms |= {spelled, spelled.upper()}
    return sorted(forms)


def base64_forms(value: str) -> list[str]:
    """Return the parts of a longer base64 text that a secret fixes, at each of the three offsets."""
    encodings = ("utf-8",) if value.isascii() else ("utf-8", "utf-16-le", "utf-16-be")
    forms = set()
    for raw, shift in product((value.encode(one, "replace") for one in encodings), range(3)):
        padded = base64.b64encode(b"\0" * shift + raw)
        # Only a group of three bytes that lies wholly inside the secret encodes independently of its neighbours.
        whole = padded[4 if shift else 0 : len(padded) - 4 if (shift + len(raw)) % 3 else None].decode()
        if len(whole) >= SHORT:
            forms |= {whole, whole.replace("+", "-").replace("/", "_")}
    return sorted(forms)


def decoded(content: bytes, encoding: str | None) -> bytes:
    """Return a body without its Content-Encoding, at most 4 MiB of it.

    Raises:
        ValueError: it is cut short, too large, or in an unknown encoding.
        zlib.error: it is corrupt.
    """
    names = [name.strip().lower() for name in (encoding or "").split(",") if name.strip()]
    for name in reversed(names):
        if name in {"gzip", "x-gzip", "deflate"}:
            engine = zlib.decompressobj(47 if name != "deflate" else 15)
            content = engine.decompress(content, _LIMIT)
            if not engine.eof:
                raise ValueError("too long, or cut")
        elif name != "identity":
            raise ValueError(f"content encoding {name:.20}")
    return content


def gunzipped(content: bytes) -> bytes:
    """Return what a gzip body holds, at most 4 MiB.

    Raises:
        ValueError: it is cut short, corrupt or too large.
    """
    try:
        return decoded(content, "gzip")
    except zlib.error as error:
        raise ValueError("broken gzip") from error
