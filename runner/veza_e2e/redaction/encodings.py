"""The forms in which a secret may be written, and the ways back."""

from __future__ import annotations

import base64
import html
import json
import zlib
from urllib.parse import quote, quote_plus

SHORT = 8
"""Values shorter than this are too common to be looked for inside other texts."""

_LIMIT = 4 * 1024 * 1024


def variants(value: str) -> list[str]:
    """Return the forms in which a secret may stand in a text: as it is, URL-encoded, escaped, hex."""
    forms = {value, quote(value, safe=""), quote_plus(value), html.escape(value), json.dumps(value)[1:-1]}
    forms.add(json.dumps(value, ensure_ascii=False)[1:-1])
    spelled = value.encode("utf-8", "replace").hex()
    forms |= {spelled, spelled.upper()}
    return sorted(forms)


def base64_forms(value: str) -> list[str]:
    """Return what a longer base64 text holds of a secret, at each of the three offsets."""
    raw = value.encode("utf-8", "replace")
    forms = set()
    for shift in range(3):
        padded = base64.b64encode(b"\0" * shift + raw)
        # Only groups of three bytes that are all the secret's own look the same whatever surrounds them.
        whole = padded[4 if shift else 0 : len(padded) - 4 if (shift + len(raw)) % 3 else None].decode()
        if len(whole) >= SHORT:
            forms |= {whole, whole.replace("+", "-").replace("/", "_")}
    return sorted(forms)


def decoded(content: bytes, encoding: str | None) -> bytes:
    """Return a body without its Content-Encoding, at most 4 MiB of it.

    Raises:
        ValueError: it is cut, larger, or in an encoding that cannot be undone here.
        zlib.error: it is broken.
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
        ValueError: it is cut, broken or larger.
    """
    try:
        return decoded(content, "gzip")
    except zlib.error as error:
        raise ValueError("broken gzip") from error
