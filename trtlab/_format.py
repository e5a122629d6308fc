"""Numbers and names as people read them: three significant digits, binary units, long names cut in the middle."""

from __future__ import annotations

_BINARY_UNITS = ("B", "KiB", "MiB", "GiB", "TiB")
_KIBI = 1024
_MINUTE_SECONDS = 60.0


def three_digits(value: float) -> str:
    """Return `value` with three significant digits and no exponent (0.0123, 1.23, 12.3, 123, 12300)."""
    if value == 0:
        return "0"
    magnitude = abs(value)
    if magnitude >= 100:  # noqa: PLR2004 - from here on three digits need no decimals
        return f"{value:.0f}"
    decimals = 2
    while magnitude < 1 and decimals < 9:  # noqa: PLR2004 - nanoseconds are as small as a measurement gets
        magnitude *= 10
        decimals += 1
    if magnitude >= 10:  # noqa: PLR2004
        decimals -= 1
    return f"{value:.{decimals}f}"


def format_bytes(count: int) -> str:
    """Return a size in B, KiB, MiB, GiB or TiB with three significant digits."""
    value = float(count)
    step = 0
    while abs(value) >= _KIBI and step < len(_BINARY_UNITS) - 1:
        value /= _KIBI
        step += 1
    return f"{three_digits(value)} {_BINARY_UNITS[step]}" if step else f"{count} B"


def format_seconds(seconds: float) -> str:
    """Return a duration in ms, s or minutes with three significant digits."""
    if seconds < 1:
        return f"{three_digits(seconds * 1000)} ms"
    if seconds < _MINUTE_SECONDS:
        return f"{three_digits(seconds)} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest:02d} s"


def shorten_middle(text: str, limit: int = 60) -> str:
    """Return `text` with its middle replaced by an ellipsis when it is longer than `limit` characters."""
    if len(text) <= limit:
        return text
    head = (limit - 1) // 2
    return f"{text[:head]}…{text[len(text) - (limit - 1 - head) :]}"


def printable(text: str) -> str:
    """Return untrusted text without what a terminal would obey; line ends stay."""
    return "".join(letter if letter.isprintable() or letter == "\n" else "\ufffd" for letter in text)


def format_shape(shape: object) -> str:
    """Return a shape as `batch x 3 x 224 x 224`; unknown sizes are `?`, an unknown rank is `unknown rank`, rank 0 a scalar."""
    if not isinstance(shape, (tuple, list)):
        return "unknown rank"
    if not shape:
        return "scalar"
    return " x ".join("?" if size is None else str(size) for size in shape)


def plural(count: int, singular: str, several: str | None = None) -> str:
    """Return `1 node`, `3 nodes`: the count with the fitting form of the noun."""
    return f"{count} {singular if count == 1 else several or singular + 's'}"
