"""The Content-Security-Policy of the served site: nothing from elsewhere, no script but those of the build."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Iterator
from pathlib import Path

HEADERS = "_headers"
"""The file in the built site; several hosts of static sites read it, and so does `site serve`."""
_INLINE = re.compile(r"<script>(.*?)</script>", re.DOTALL)
_ALIGNED = ("text-align: right;", "text-align: center;", "text-align: left;")
"""The only styles in attributes: how Markdown aligns a column."""


def write_headers(site: Path) -> None:
    """Write the headers of a site that mkdocs has built, before what comes from sessions is put into it."""
    pages = (path.read_text(encoding="utf-8") for path in sorted(site.rglob("*.html")))
    scripts = sorted({script for page in pages for script in _INLINE.findall(page)})
    policy = [
        "default-src 'none'",
        " ".join(["script-src 'self'", *_sums(scripts)]),
        "style-src 'self'",
        " ".join(["style-src-attr 'unsafe-hashes'", *_sums(_ALIGNED)]),
        "img-src 'self' data:",
        "connect-src 'self'",
        "worker-src 'self'",
        "base-uri 'none'",
        "form-action 'self'",
        "frame-ancestors 'none'",
    ]
    lines = [
        "/*",
        f"  Content-Security-Policy: {'; '.join(policy)}",
        "  Referrer-Policy: no-referrer",
        "  X-Content-Type-Options: nosniff",
    ]
    (site / HEADERS).write_text("\n".join(lines) + "\n", encoding="utf-8")


def headers(site: Path) -> dict[str, str]:
    """Return the headers that every page of a built site is served with."""
    lines = (site / HEADERS).read_text(encoding="utf-8").splitlines()[1:]
    return dict(line.strip().split(": ", 1) for line in lines)


def _sums(texts: tuple[str, ...] | list[str]) -> Iterator[str]:
    for text in texts:
        yield f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"
