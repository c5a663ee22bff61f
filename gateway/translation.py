"""The stages that translate: a call into its provider's dialect, and the answer back into the client's.

They stand on both sides of `Send` and do nothing where client and provider speak alike.
"""

import asyncio
import dataclasses
from collections.abc import Callable
from typing import Final

from app.config import Config
from app.errors import Refused, UpstreamError
from gateway.exchange import Crossing, Exchange, Plan, Reply
from gateway.upstream.send import close_attempt, content_type_of
from gateway.upstream.tap import Tag
from gateway.vault import Vault

STRICT: Final = "x-gatescope-strict"
_IN_THREAD_BYTES: Final = 256 * 1024
"""A larger body is translated in a thread: it would hold up everybody else."""
_LARGEST_ANSWER_BYTES: Final = 64 * 1024 * 1024


class Translate:
    """Before `Send`: the call in the provider's words."""

    def __init__(self, config: Callable[[], Config], vault: Vault) -> None:
        self._config = config
        self._vault = vault

    async def admit(self, exchange: Exchange) -> None:
        """Set the exchange's crossing where its provider speaks another dialect.

        Raises InputError for what cannot be carried, Refused for what would be lost where nothing may be.
        """
        plan = exchange.plan
        assert plan is not None
        if not plan.dialect:
            return
        if exchange.route.operation != "chat":
            self._cross_aside(exchange, plan)
            return
        from gateway.crossing import cross  # with all dialects: not before it is needed

        if len(exchange.continued or exchange.body) > _IN_THREAD_BYTES:
            crossing = await asyncio.to_thread(cross, exchange, plan, self._vault)
        else:
            crossing = cross(exchange, plan, self._vault)
        self._take(exchange, plan, crossing)

    def _cross_aside(self, exchange: Exchange, plan: Plan) -> None:
        from gateway.side_crossing import cross

        crossing = cross(exchange, plan)
        if isinstance(crossing, Reply):
            exchange.reply = crossing
        else:
            self._take(exchange, plan, crossing)

    def _take(self, exchange: Exchange, plan: Plan, crossing: Crossing) -> None:
        if crossing.losses and self._is_strict(exchange):
            raise _too_lossy(crossing, plan)
        exchange.crossing, exchange.upstream_request = crossing, crossing.written.body
        headers = (("content-type", "application/json"), *crossing.written.headers)
        exchange.plan = dataclasses.replace(plan, path=crossing.written.path, headers=headers, edit=None)

    def _is_strict(self, exchange: Exchange) -> bool:
        asked = exchange.header(STRICT)
        return self._config().translation.strict if asked is None else asked.lower() in ("1", "true", "yes")


class TranslateBack:
    """After `Send`: the answer in the client's words."""

    def __init__(self, tag: Tag, vault: Vault) -> None:
        """`tag` gives the headers that only the provider's body can tell."""
        self._tag = tag
        self._vault = vault

    async def admit(self, exchange: Exchange) -> None:
        """Answer, or put a translating upstream before the provider's. Raises UpstreamError."""
        crossing, upstream = exchange.crossing, exchange.upstream
        if crossing is None or upstream is None:
            return
        from gateway import crossing as translate
        from gateway.upstream.crossed import Crossed, FailedInside

        if upstream.status >= 400 or not exchange.is_stream:
            body = await _read_whole(exchange)
            exchange.upstream_response = body
            close_attempt(exchange)
            if crossing.aside is not None:
                from gateway.side_crossing import answer

                exchange.reply = answer(exchange, crossing, body)
                return
            reply = translate.answer(exchange, crossing, body, content_type_of(upstream.headers), self._vault)
            exchange.reply = dataclasses.replace(reply, headers=(*reply.headers, *self._tag(exchange, body)))
            return
        crossed = Crossed(exchange, crossing, self._vault)
        try:
            await crossed.open()
        except FailedInside as failed:
            exchange.upstream_response = crossed.raw
            close_attempt(exchange)
            exchange.reply = translate.refusal(exchange, crossing, failed.error, upstream.status)
            return
        exchange.upstream = crossed


async def _read_whole(exchange: Exchange) -> bytes:
    upstream, plan = exchange.upstream, exchange.plan
    assert upstream is not None and plan is not None
    parts: list[bytes] = []
    size = 0
    while data := await upstream.read():
        exchange.note_first_byte()
        parts.append(data)
        size += len(data)
        if size > _LARGEST_ANSWER_BYTES:
            raise UpstreamError("The answer is too large to be translated.", provider=plan.provider_name)
        if upstream.is_complete:
            break
    return b"".join(parts)


def _too_lossy(crossing: Crossing, plan: Plan) -> Refused:
    told = "; ".join(map(str, crossing.losses))
    return Refused(
        f"Not everything of this request can be carried to {plan.provider_name} ({plan.dialect}): {told}.",
        rule="dialect",
        hint=f"Leave it out, ask a model that has it, or send without {STRICT}.",
    )
