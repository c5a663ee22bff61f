"""Leaving out, at the start, what other libraries do when they are imported and the gateway never needs."""

import gc
import os
import ssl
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def lean_imports() -> Iterator[None]:
    """While it lasts, TLS contexts load no authorities, pydantic looks for no plugins and no garbage is looked for.

    WORKAROUND https://github.com/aio-libs/aiohttp/blob/master/aiohttp/connector.py: it makes a verifying context for
    its client when it is imported, and reading all certificate authorities for that takes a fifth of our start. Our
    own client makes its context when first needed (`gateway.upstream.dial`); aiohttp's client is not used in this
    process, and a context without authorities trusts nobody. Looking for plugins reads every installed package's
    metadata. What is imported stays: looking through it for garbage takes a tenth of the start.
    """
    load = ssl.SSLContext.load_default_certs
    os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")
    ssl.SSLContext.load_default_certs = _load_nothing  # type: ignore[method-assign, assignment]
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()
        ssl.SSLContext.load_default_certs = load  # type: ignore[method-assign]


def _load_nothing(_context: ssl.SSLContext, _purpose: ssl.Purpose = ssl.Purpose.SERVER_AUTH) -> None:
    """In the place of `SSLContext.load_default_certs`."""
