"""Draws a session's calls, pauses and waits on a time axis, as inline SVG with links into the record.

Time is to scale, except that long stretches without a call are cut short, marked and labelled.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from itertools import pairwise, zip_longest

from markupsafe import Markup

from veza_e2e.frozen import dataclass
from veza_e2e.journal import Line
from veza_e2e.journal.events import Answered, BrowserOpened, CallFailed, CallFinished
from veza_e2e.journal.readings import RowsRead
from veza_e2e.report.calls import came
from veza_e2e.report.escape import inline
from veza_e2e.report.telling import seconds
from veza_e2e.report.view import TITLES

WIDTH, LEFT, ROW, TOP = 960, 300, 22, 34
_LABEL = 60
_BARS = 24
"""If a row has more bars than this, they become one bar with their number."""
_PLACES: Mapping[str | None, str] = {str(step): title for step, title in TITLES.items()}
_QUIET = 400
"""Stretches without a call are shown in full up to this many milliseconds."""


@dataclass(frozen=True, slots=True)
class Bar:
    """A span of time, in milliseconds since the session's start."""

    row: str
    start: int
    end: int
    kind: str
    seq: int
    title: str


def waterfall(lines: Sequence[Line]) -> Markup:
    """Return the SVG; empty if the session made no call."""
    bars = _merged(list(_bars(lines)))
    if not bars:
        return Markup()
    scale = _Scale(bars)
    rows = list(dict.fromkeys(bar.row for bar in bars))
    height = TOP + ROW * len(rows) + 8
    parts = [
        '<div class="veza-scroll" tabindex="0" role="region" aria-label="Timeline">',
        f'<svg class="veza-waterfall" viewBox="0 0 {WIDTH} {height}" role="group" aria-label="Calls and pauses">',
    ]
    parts.append(_axis(bars))
    grid = "".join(f"M{LEFT} {TOP + number * ROW}H{WIDTH}" for number in range(1, len(rows) + 1))
    parts.append(f'<path class="veza-grid" d="{grid}"/>')
    named = -_LABEL * 1.0
    for x, duration in scale.cuts:
        parts.append(_cut(x, duration if x - named >= _LABEL else None, height))
        named = x if x - named >= _LABEL else named
    lengths: list[str] = []
    for number, row in enumerate(rows):
        y = TOP + number * ROW
        parts.append(f'<text y="{y + 15}">{inline(_short(row))}</text>')
        own = sorted((bar for bar in bars if bar.row == row), key=lambda bar: bar.start)
        parts += [_rect(bar, scale, y) for bar in own]
        lengths += [_length(bar, after, scale, y) for bar, after in zip_longest(own, own[1:])]
    drawn = [*parts, '<g class="veza-length">', *filter(None, lengths), "</g></svg></div>"]
    return Markup("\n".join(drawn))  # noqa: S704 - numbers, and texts that went through inline


def _bars(lines: Sequence[Line]) -> Iterable[Bar]:
    zero = _ms(lines[0].at)
    for line in lines:
        event = line.event
        at = _ms(line.at) - zero
        step = getattr(event, "step", None)
        place = _PLACES.get(step, "Before the steps")
        if isinstance(event, CallFinished | CallFailed):
            start = min(max(_ms(event.started_at) - zero, 0), at)
            kind = "failed" if isinstance(event, CallFailed) else event.target
            name = event.operation or event.target
            said = f"{name} {came(event)}, {event.elapsed_ms} ms"
            yield Bar(f"{place} · {name}", start, start + event.elapsed_ms, kind, line.seq, said)
        elif isinstance(event, Answered):
            said = f"{event.question}: waited {seconds(event.waited_ms)}"
            yield Bar(f"{place} · {event.by}", max(at - event.waited_ms, 0), at, "operator", line.seq, said)
        elif isinstance(event, BrowserOpened | RowsRead):
            what = "checkout page" if isinstance(event, BrowserOpened) else "rows read"
            yield Bar(f"{place} · {what}", at, at, "operator", line.seq, what)


def _merged(bars: Sequence[Bar]) -> list[Bar]:
    """Return the bars; those of a crowded row become one."""
    rows: dict[str, list[Bar]] = {}
    for bar in bars:
        rows.setdefault(bar.row, []).append(bar)
    found = []
    for own in rows.values():
        if len(own) > _BARS:
            *middle, last = own[1:]
            said = f"{len(middle)} more, the last at {seconds(middle[-1].end)}"
            many = Bar(own[0].row, middle[0].start, middle[-1].end, "many", middle[0].seq, said)
            found += [own[0], many, last]
        else:
            found += own
    return found


def _ms(at: str) -> int:
    return round(datetime.fromisoformat(at).timestamp() * 1000)


class _Scale:
    """Maps milliseconds to places on the axis."""

    def __init__(self, bars: Sequence[Bar]) -> None:
        busy = [bar for bar in bars if bar.kind not in {"operator", "many"}]
        points = sorted({p for bar in bars for p in (bar.start, bar.end)})
        self._points = {points[0]: 0}
        cut_at: list[tuple[int, int]] = []
        shown = 0
        for before, after in pairwise(points):
            length = after - before
            called = any(bar.start < after and bar.end > before for bar in busy)
            if not called and length > _QUIET:
                cut_at.append((shown + _QUIET // 2, length))
                length = _QUIET
            shown += length
            self._points[after] = shown
        self._unit = (WIDTH - LEFT - 12) / max(shown, 1)
        self.cuts = [(LEFT + x * self._unit, duration) for x, duration in cut_at]

    def x(self, ms: int) -> float:
        """Return the place of a bar's start or end."""
        return LEFT + self._points[ms] * self._unit


def _axis(bars: Sequence[Bar]) -> str:
    """Return the axis's end labels and the legend of colours."""
    end = max(bar.end for bar in bars)
    legend = [
        ("api", "Veza", 0),
        ("processor", "processor", 54),
        ("operator", "operator", 136),
        ("failed", "lost", 210),
    ]
    drawn = [
        f'<rect{_class(kind)} x="{x}" y="2" width="10" height="10"/><text x="{x + 14}" y="11">{name}</text>'
        for kind, name, x in legend
    ]
    ends = f'<text x="{LEFT}" y="11">0 s</text><text x="{WIDTH}" y="11" text-anchor="end">{seconds(end)}</text>'
    return "".join(drawn) + ends


def _rect(bar: Bar, scale: _Scale, y: int) -> str:
    x, end = scale.x(bar.start), scale.x(bar.end)
    return (
        f'<a href="#event-{bar.seq}" aria-label="{inline(bar.title)}">'
        f'<rect{_class(bar.kind)} x="{x:.1f}" y="{y + 4}" width="{max(end - x, 3):.1f}"/></a>'
    )


def _class(kind: str) -> str:
    """Return the class of a bar, from which it has its colour; its height is the style's, for all."""
    return "" if kind == "api" else f' class="veza-{kind}"'


def _length(bar: Bar, after: Bar | None, scale: _Scale, y: int) -> str:
    """Return the label of a bar's duration, if there is room before the row's next bar."""
    x, end = scale.x(bar.start), max(scale.x(bar.end), scale.x(bar.start) + 3)
    if bar.end == bar.start or bar.kind == "many" or (after and scale.x(after.start) < end + _LABEL):
        return ""
    length = bar.end - bar.start
    shown = f"{length} ms" if length < 1000 else seconds(length)  # noqa: PLR2004 - a second
    if end + _LABEL < WIDTH:
        return f'<text x="{end + 4:.1f}" y="{y + 15}">{shown}</text>'
    return f'<text x="{x - 4:.1f}" y="{y + 15}" text-anchor="end">{shown}</text>'


def _cut(x: float, duration: int | None, height: int) -> str:
    line = f'<line class="veza-cut" x1="{x:.1f}" x2="{x:.1f}" y1="{TOP - 6}" y2="{height}"/>'
    if duration is None:
        return line
    return line + (
        f'<text class="veza-cut-name" x="{x:.1f}" y="{TOP - 12}" text-anchor="middle">{seconds(duration)}</text>'
    )


def _short(text: str) -> str:
    return text if len(text) <= 46 else text[:45] + "…"  # noqa: PLR2004 - what fits beside the axis
