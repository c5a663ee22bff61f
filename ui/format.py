"""Numbers become text here and nowhere else. Unknown is `–`, never 0."""

from datetime import UTC, datetime

UNKNOWN = "–"
_MS_NS = 1_000_000
_S_NS = 1_000_000_000
_USD_NUSD = 1_000_000_000
_CENT_NUSD = _USD_NUSD // 100


def duration(value_ns: int | None) -> str:
    """Return `0.42 ms`, `840 ms`, `2.31 s`, `6 m 45 s` or `3 h 02 m`."""
    if value_ns is None or value_ns < 0:
        return UNKNOWN
    if value_ns < 10 * _MS_NS:
        return f"{value_ns / _MS_NS:.2f} ms" if value_ns else "0 ms"
    if value_ns < 999_500_000:
        return f"{value_ns / _MS_NS:.0f} ms"
    if value_ns < 59_995_000_000:
        return f"{value_ns / _S_NS:.2f} s"
    total_s = round(value_ns / _S_NS)
    if total_s < 3600:
        return f"{total_s // 60} m {total_s % 60:02d} s"
    total_m = round(total_s / 60)
    return f"{total_m // 60} h {total_m % 60:02d} m"


def uptime(value_ns: int | None) -> str:
    """Return `42 s`, `5 m 07 s`, `3 h 02 m`, `12 d 4 h`: a clock that ticks once a second at most."""
    if value_ns is None or value_ns < 0:
        return UNKNOWN
    total_s = value_ns // _S_NS
    if total_s < 60:
        return f"{total_s} s"
    if total_s < 3600:
        return f"{total_s // 60} m {total_s % 60:02d} s"
    if total_s < 86_400:
        return f"{total_s // 3600} h {total_s % 3600 // 60:02d} m"
    return f"{total_s // 86_400} d {total_s % 86_400 // 3600} h"


def money(value_nusd: int | None) -> str:
    """Return `$1,204.50`, `$0.412`, `$0.0412`, and two significant digits below a cent: `$0.00061`."""
    if value_nusd is None:
        return UNKNOWN
    if value_nusd == 0:
        return "$0"
    sign, size_nusd = ("-", -value_nusd) if value_nusd < 0 else ("", value_nusd)
    if size_nusd >= 999_500_000:
        return f"{sign}${size_nusd / _USD_NUSD:,.2f}"
    digits = 3 if size_nusd >= _CENT_NUSD else 2
    leading_zeros = 9 - len(str(size_nusd))
    return f"{sign}${size_nusd / _USD_NUSD:.{min(leading_zeros + digits, 9)}f}"


def tokens(value: int | None) -> str:
    """Return `4,630`."""
    return UNKNOWN if value is None or value < 0 else f"{value:,}"


def count(value: int | None, one: str = "", many: str = "") -> str:
    """Return `1 span`, `1,204 spans`; only the number where no noun is given."""
    if value is None:
        return UNKNOWN
    noun = one if value == 1 else many or f"{one}s"
    return f"{value:,} {noun}" if one else f"{value:,}"


def short_count(value: int | None) -> str:
    """Return `940`, `12.5k`, `1.2M`."""
    if value is None:
        return UNKNOWN
    for unit, size in (("M", 1_000_000), ("k", 1_000)):
        if value >= size * 10:
            return f"{value / size:.0f}{unit}" if value >= size * 100 else f"{value / size:.1f}{unit}"
        if value >= size:
            return f"{value / size:.1f}{unit}"
    return str(value)


def size(value_bytes: int | None) -> str:
    """Return `812 B`, `4.2 KB`, `1.2 GB`; powers of 1000, as disks are sold."""
    if value_bytes is None or value_bytes < 0:
        return UNKNOWN
    if value_bytes < 1000:
        return f"{value_bytes} B"
    amount = float(value_bytes)
    for unit in ("KB", "MB", "GB", "TB"):
        amount /= 1000
        if amount < 999.5 or unit == "TB":
            return f"{amount:.1f} {unit}" if amount < 99.95 else f"{amount:.0f} {unit}"
    return UNKNOWN


def percent(part: float | None) -> str:
    """Return `4.2%` of a share between 0 and 1."""
    if part is None:
        return UNKNOWN
    shown = part * 100
    return f"{shown:.1f}%" if 0 < shown < 99.95 else f"{shown:.0f}%"


def clock(at_ns: int | None, now_ns: int | None = None) -> str:
    """Return local `14:03:27`, with the date before it where `now_ns` is of another day."""
    if at_ns is None:
        return UNKNOWN
    moment = _local(at_ns)
    if now_ns is None or moment.date() == _local(now_ns).date():
        return f"{moment:%H:%M:%S}"
    return f"{moment:%d %b %H:%M}"


def absolute(at_ns: int | None, *, is_utc: bool = False) -> str:
    """Return `2026-08-01 14:03:27.412 CEST`, for tooltips and copies."""
    if at_ns is None:
        return UNKNOWN
    moment = datetime.fromtimestamp(at_ns / _S_NS, tz=UTC) if is_utc else _local(at_ns)
    return f"{moment:%Y-%m-%d %H:%M:%S}.{at_ns // _MS_NS % 1000:03d} {moment:%Z}"


def ago(at_ns: int | None, now_ns: int) -> str:
    """Return `just now`, `42 s ago`, `5 m ago`, `3 h ago`, `2 d ago`."""
    if at_ns is None:
        return UNKNOWN
    passed_s = max(0, (now_ns - at_ns) // _S_NS)
    if passed_s < 2:
        return "just now"
    for unit, length_s, limit_s in (("s", 1, 60), ("m", 60, 3600), ("h", 3600, 86_400)):
        if passed_s < limit_s:
            return f"{passed_s // length_s} {unit} ago"
    return f"{passed_s // 86_400} d ago"


def one_line(text: str, limit: int = 200) -> str:
    """Return `text` on one line, cut with `…` after `limit` characters."""
    flat = " ".join(text[: limit * 4].split())
    return flat if len(flat) <= limit else f"{flat[: limit - 1]}…"


def short_id(text: str) -> str:
    """Return `7c1f…9e02`."""
    return text if len(text) <= 12 else f"{text[:4]}…{text[-4:]}"


def _local(at_ns: int) -> datetime:
    return datetime.fromtimestamp(at_ns / _S_NS, tz=UTC).astimezone()
