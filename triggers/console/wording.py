"""Values as pages show them: times, counts, states, sparklines. Pure; every text is escaped by the templates."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, Final
from urllib.parse import quote, urlencode

from markupsafe import Markup, escape

from triggers.base.escaping import one_line, our_text
from triggers.operate.times import ago, span

#: How a state or what happened looks: a class of the style sheet, and a sign, so that color is never alone.
_LOOKS: Final[dict[str, tuple[str, str]]] = {
    "active": ("good", "●"), "new": ("calm", "○"), "paused": ("warn", "‖"), "retired": ("quiet", "-"),
    "muted": ("quiet", "⊘"), "failing": ("warn", "↻"), "granted": ("quiet", "·"), "launched": ("good", "✓"),
    "acted": ("good", "✓"), "resolved": ("good", "✓"), "tried": ("quiet", "·"), "skipped": ("quiet", "-"),
    "held": ("warn", "‖"), "waiting": ("calm", "○"), "failed": ("warn", "↻"), "dead": ("bad", "✗"),
    "dropped": ("quiet", "-"), "released": ("calm", ">"), "retried": ("calm", "↻"), "shadow": ("quiet", "·"),
    "ok": ("good", "✓"), "idle": ("quiet", "·"), "late": ("bad", "!"), "warn": ("warn", "!"), "bad": ("bad", "✗"),
    "fired": ("good", "✓"), "will fire": ("calm", "○"), "does not fire": ("quiet", "-"), "done": ("good", "✓"),
    "begun": ("calm", "○"), "no such object": ("bad", "?"), "no such time": ("bad", "?"),
}  # fmt: skip

#: A time as the verbs write one (`operate.times.local`).
_LOCAL: Final = re.compile(r"\b(20\d\d-[01]\d-[0-3]\d [0-2]\d:[0-5]\d:[0-5]\d)\b", re.ASCII)

#: Width and height of a sparkline, in its own units.
_WIDE, _HIGH = 96, 20


def text(value: object) -> str:
    """Any text of others, in one line and without what turns or hides it."""
    return one_line(value)


def badge(state: str) -> Markup:
    """A state with its sign and color; what follows the first words is kept, and a mute is a badge of its own."""
    if state.endswith(", muted"):
        return badge(state.removesuffix(", muted")) + " " + badge("muted")
    for words, (look, sign) in sorted(_LOOKS.items(), key=lambda row: -len(row[0])):
        if state == words or state.startswith(words + " "):
            return Markup('<span class="badge {}"><span aria-hidden="true">{}</span> {}</span>').format(
                look, sign, one_line(state)
            )
    return Markup('<span class="badge quiet">{}</span>').format(one_line(state))


def moment(ms: int | None, now_ms: int) -> Markup:
    """A time: how long ago, with the exact one for whoever hovers, and for the script that counts on."""
    if not ms:
        return Markup('<span class="quiet">never</span>')
    exact = datetime.fromtimestamp(ms / 1000, UTC)
    return Markup('<time datetime="{}" title="{}">{}</time>').format(
        exact.isoformat(timespec="milliseconds"), exact.strftime("%Y-%m-%d %H:%M:%S UTC"), ago(ms, now_ms)
    )


def ahead(ms: int, now_ms: int) -> str:
    """How long until a time, for people."""
    return span(ms - now_ms) if ms - now_ms >= 1000 else "now"


def exactly(ms: int) -> Markup:
    """An exact time, which the script puts into the reader's zone."""
    exact = datetime.fromtimestamp(ms / 1000, UTC)
    return Markup('<time datetime="{}" data-exact>{}</time>').format(
        exact.isoformat(timespec="milliseconds"), exact.strftime("%Y-%m-%d %H:%M:%S UTC")
    )


def zoned(words: str) -> Markup:
    """A sentence of the verbs, whose times are of this machine's zone, with times that the script puts into another."""
    pieces = _LOCAL.split(one_line(words))
    return Markup("").join(_exact_of(piece) if place % 2 else piece for place, piece in enumerate(pieces))


def _exact_of(text: str) -> str:
    try:
        return exactly(int(datetime.fromisoformat(text).timestamp() * 1000))
    except (ValueError, OverflowError):  # it only looks like a time
        return text


def sparkline(counts: Sequence[int], words: str) -> Markup:
    """Bars of counts as a picture of its own, with its content in words."""
    most, width = max(counts, default=0), _WIDE / max(1, len(counts))
    bars = []
    for place, count in enumerate(counts):
        high = max(2.0, _HIGH * count / most) if count else 0.0
        if high:
            bars.append(
                f'<rect x="{place * width:.1f}" y="{_HIGH - high:.1f}" width="{width * 0.8:.1f}" height="{high:.1f}"/>'
            )
    head = Markup('<svg class="spark" viewBox="0 0 {} {}" role="img" aria-label="{}"><title>{}</title>').format(
        _WIDE, _HIGH, words, words
    )
    base = f'<path d="M0 {_HIGH - 0.5}H{_WIDE}"/>'
    return head + Markup(base + "".join(bars) + "</svg>")  # noqa: S704 (numbers only)


def short(id_: str, length: int = 8) -> Markup:
    """The beginning of an id, with all of it for whoever hovers."""
    return Markup('<code title="{}">{}</code>').format(one_line(id_), one_line(id_)[:length])


def firing_end(key: str) -> Markup:
    """The end of a firing's key, as the command line shows it."""
    return Markup('<code title="{}">{}</code>').format(one_line(key), one_line(key)[-10:])


def path(*parts: str, **query: Any) -> str:
    """An address within the console."""
    address = "/" + "/".join(quote(part, safe="") for part in parts)
    given = {name: value for name, value in query.items() if value not in (None, "", (), [])}
    return address + ("?" + urlencode(given, doseq=True) if given else "")


def in_lines(value: str) -> Markup:
    """A text of ours as it stands, for a field that people edit."""
    return escape(our_text(value))


def kept_lines(value: object) -> Markup:
    """A text of several lines as it stands."""
    return Markup("<br>").join(escape(one_line(line)) for line in str(value).splitlines())
