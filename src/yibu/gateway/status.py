"""What machines ask about the gateway itself."""

import hmac

import msgspec

from yibu import __version__
from yibu.gateway.admit import key_of
from yibu.gateway.house import House
from yibu.gateway.request import Request
from yibu.hub.errors import NotFound, WrongKey
from yibu.kit.db import DatabaseAway
from yibu.relay.headers import JSON
from yibu.relay.reply import Reply

TEXT = (b"content-type", b"text/plain; version=0.0.4; charset=utf-8")


async def welcome(request: Request, reply: Reply, house: House) -> None:
    """For people and tools that open the bare address."""
    about = {"name": "Yibu", "version": __version__, "chat": "/v1/chat/completions", "models": "/v1/models"}
    await reply.whole(200, [JSON], msgspec.json.encode(about))


async def health(request: Request, reply: Reply, house: House) -> None:
    """The process lives."""
    await reply.whole(200, [JSON], b'{"status":"ok"}')


async def ready(request: Request, reply: Reply, house: House) -> None:
    """The process can serve: its database answers."""
    try:
        await house.db.read(lambda conn: conn.exec_driver_sql("SELECT 1").scalar())
    except DatabaseAway:
        await reply.whole(503, [JSON], b'{"status":"database away"}')
        return
    await reply.whole(200, [JSON], b'{"status":"ready"}')


async def metrics(request: Request, reply: Reply, house: House) -> None:
    """For whoever has the token of the setting `server.metrics_token`; without that setting there is nothing here."""
    token = house.settings.server.metrics_token
    if not token:
        raise NotFound("Set `server.metrics_token` to have figures here.")
    if not hmac.compare_digest(key_of(request).encode(), token.encode()):
        raise WrongKey("This is not the token of `server.metrics_token`.")
    await reply.whole(200, [TEXT], house.metrics.render())
