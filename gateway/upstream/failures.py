"""How a provider can fail before or while it answers, beyond a plain `UpstreamError` (unreachable, nonsense)."""

from app.errors import UpstreamError


class UpstreamTimeout(UpstreamError):
    """It did not connect, did not begin to answer, or stopped in the middle, for too long."""

    code = "timeout"


class UpstreamCut(UpstreamError):
    """Its connection ended before its answer did."""

    code = "cut"


class StaleConnection(UpstreamError):
    """A kept connection turned out to be dead before one byte of answer: the request may go again on a new one."""

    code = "stale"
