"""The floor we measure ourselves against: the smallest aiohttp + uvloop reverse proxy. Receive, forward, return.

python bare_proxy.py PORT UPSTREAM_URL
"""

import asyncio
import sys

import aiohttp
import uvloop
from aiohttp import web

_OURS = frozenset({"host", "connection", "transfer-encoding", "content-length", "content-encoding", "accept-encoding"})


async def main(port: int, upstream: str) -> None:
    """Serve until killed; prints `ready` first."""
    connector = aiohttp.TCPConnector(limit=0, keepalive_timeout=60)
    session = aiohttp.ClientSession(
        connector=connector, auto_decompress=False, cookie_jar=aiohttp.DummyCookieJar(), timeout=aiohttp.ClientTimeout()
    )

    async def forward(request: web.BaseRequest) -> web.StreamResponse:
        body = await request.read()
        sent = {"content-type": "application/json", "authorization": "Bearer upstream"}
        async with session.post(upstream + request.path_qs, data=body, headers=sent) as answer:
            headers = [(name, value) for name, value in answer.headers.items() if name.lower() not in _OURS]
            if "event-stream" not in answer.headers.get("content-type", ""):
                return web.Response(body=await answer.read(), status=answer.status, headers=headers)
            response = web.StreamResponse(status=answer.status, headers=headers)
            await response.prepare(request)
            async for chunk in answer.content.iter_any():
                await response.write(chunk)
            await response.write_eof()
            return response

    runner = web.ServerRunner(web.Server(forward, access_log=None))
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", port, backlog=1024).start()
    print("ready", flush=True)
    await asyncio.Event().wait()


if __name__ == "__main__":
    uvloop.run(main(int(sys.argv[1]), sys.argv[2]))
