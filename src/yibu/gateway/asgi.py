"""The outermost edge of the data plane: finds the handler, and turns whatever goes wrong into the dialect's error."""

import asyncio
import re
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, cast

import structlog

from yibu.dialects import call_dialects, discover
from yibu.dialects.dialect import Bounds, CallDialect, Dialect, Operation, SharedPath
from yibu.dialects.openai_chat import DIALECT
from yibu.gateway import billing, files, models, responses, status, videos
from yibu.gateway.call import serve
from yibu.gateway.count import count_tokens
from yibu.gateway.house import House
from yibu.gateway.request import Request
from yibu.gateway.routes import FOLDERS, Routes, likely, tidy
from yibu.hub.errors import Busy, HubError, Internal, NoChannel, OutOfCredit, UpstreamError
from yibu.kit.blobs import BlobsFull
from yibu.kit.db import DatabaseAway
from yibu.kit.ids import new_id
from yibu.kit.settings import Limits
from yibu.relay.headers import JSON
from yibu.relay.reply import Gone, Headers, Receive, Reply, Send

log = structlog.get_logger(__name__)

Handler = Callable[[Request, Reply, House], Awaitable[None]]

EXPOSED = b"x-request-id, x-yibu-channel, x-yibu-cost, x-yibu-loss, openai-poll-after-ms, retry-after"
PREFLIGHT: Headers = [
    (b"access-control-allow-methods", b"GET, HEAD, POST, DELETE, OPTIONS"),
    (b"access-control-max-age", b"86400"),
]
CUT_S = 5.0
"""Within this time a call that is cut has handed over what it has to book."""

CALLS = frozenset({Operation.CHAT, Operation.EMBED, Operation.RERANK, Operation.MODERATE})
"""What is asked of a model, in the six steps."""

# By operation of a dialect's route. A key is asked for in the handler itself, as its first step.
OPERATIONS: Mapping[Operation, Handler] = {
    Operation.COUNT_TOKENS: count_tokens,
    Operation.LIST_MODELS: models.list_models,
    Operation.SHOW_MODEL: models.show_model,
    Operation.CREATE_RESPONSE: responses.create,
    Operation.SHOW_RESPONSE: responses.show,
    Operation.DELETE_RESPONSE: responses.remove,
    Operation.CANCEL_RESPONSE: responses.cancel,
    Operation.RESPONSE_ITEMS: responses.items,
    Operation.COUNT_RESPONSE: responses.count,
    Operation.SHOW_VIDEO: videos.show_video,
    Operation.VIDEO_CONTENT: videos.video_content,
    Operation.SUBSCRIPTION: billing.subscription,
    Operation.SPENDING: billing.spending,
}

# Our own: open to all (bare address, health), or to whoever has a link that carries its proof.
OWN: tuple[tuple[re.Pattern[str], Handler], ...] = (
    (re.compile(r"/|/v1"), status.welcome),
    (re.compile(r"/healthz"), status.health),
    (re.compile(r"/readyz"), status.ready),
    (re.compile(r"/metrics"), status.metrics),
    (re.compile(r"/v1/files/(?P<file>[^/]+)"), files.show_file),
    (re.compile(r"/web/(?P<task>[^/]+)"), videos.preview),
    (re.compile(r"/source/(?P<task>[^/]+)"), videos.source),
)


class Gateway:
    """The ASGI application. `house` is there before the first request."""

    def __init__(self, house: House) -> None:
        self._house = house
        self._dialects = _within(house.settings.limits)
        self._routes = Routes(self._dialects.values())
        self._open: set[asyncio.Task[Any]] = set()

    async def cut(self) -> int:
        """Ends the calls that are under way, and gives their number; what they delivered is charged. Long work goes on."""
        cut = set(self._open)
        for call in cut:
            call.cancel()
        if cut:
            await asyncio.wait(cut, timeout=CUT_S)
        return len(cut)

    async def __call__(self, scope: Mapping[str, Any], receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        request_id = new_id("req")
        always: Headers = [
            (b"x-request-id", request_id.encode()),
            (b"access-control-allow-origin", b"*"),
            (b"access-control-expose-headers", EXPOSED),
        ]
        request = Request(scope, receive, request_id)
        reply = Reply(send, receive, always, is_head=request.is_head)
        if request.method == "OPTIONS":
            await _preflight(request, reply)
            return
        task = asyncio.current_task()
        assert task
        self._open.add(task)
        try:
            await self._handle(request, reply)
        except Gone:
            return
        except HubError as error:
            await self._fail(error, request, reply)
        except DatabaseAway as exc:
            log.error("database_away", request_id=request.id, why=str(exc))
            await self._fail(
                Internal("The gateway's database is busy. Try again in a moment."), request, reply, status=503
            )
        except BlobsFull as exc:
            log.error("disk_full", request_id=request.id, why=str(exc))
            await self._fail(
                Internal("The gateway has no room for files left. The operator has to make some."),
                request,
                reply,
                status=503,
            )
        except asyncio.CancelledError:
            raise
        except Exception:
            log.exception("call_failed", request_id=request.id, path=request.path)
            await self._fail(Internal(), request, reply)
        finally:
            self._open.discard(task)

    async def _handle(self, request: Request, reply: Reply) -> None:
        method = "GET" if request.is_head else request.method
        if method == "GET" and (own := _own(request)):
            await own(request, reply, self._house)
            return
        dialect, route, request.params = self._routes.find(method, request.path)
        request.dialect = dialect
        if route.operation in CALLS:
            await serve(request, reply, self._house, lambda body: self._spoken(dialect, body, request))
        else:
            await OPERATIONS[route.operation](request, reply, self._house)

    def _spoken(self, dialect: Dialect, body: bytes, request: Request) -> CallDialect:
        """The format of a request. Errors are told in it too. Raises `InvalidRequest`."""
        if hasattr(dialect, "told_apart"):
            dialect = self._dialects[cast(SharedPath, dialect).told_apart(body, request.target)]
            request.dialect = dialect
        return cast(CallDialect, dialect)

    async def _fail(self, error: HubError, request: Request, reply: Reply, *, status: int | None = None) -> None:
        """The dialect's own error body, or its error frame when the answer has begun."""
        dialect = request.dialect or self._dialects.get(likely(request.path, request.headers), DIALECT)
        if isinstance(error, UpstreamError):
            log.warning(
                "upstream_error",
                request_id=request.id,
                code=error.code,
                upstream_status=error.upstream_status,
                upstream_code=error.upstream_code,
                words=error.upstream_words[:500],
            )
        if reply.has_started and not reply.is_stream:
            return  # shorter than its length says, which the customer's side notices
        if reply.has_started:
            await reply.write(dialect.encode_stream_error(error, request.id, request.target))
            await reply.end()
            return
        head: Headers = [JSON]
        if error.retry_after_s:
            head.append((b"retry-after", str(max(round(error.retry_after_s), 1)).encode()))
        # The gateway has tried what there was to try: a client that repeats the call would only multiply that.
        if isinstance(error, UpstreamError | NoChannel | OutOfCredit) and not isinstance(error, Busy):
            head.append((b"x-should-retry", b"false"))
        code = status or dialect.error_status(error)
        await reply.whole(code, head, dialect.encode_error(error, request.id))


def _within(limits: Limits) -> dict[str, Dialect]:
    """All dialects; those in which something is asked keep to what a caller may send."""
    bounds = Bounds(limits.messages, limits.tools, limits.json_depth)
    return {**discover(), **{id: dialect.within(bounds) for id, dialect in call_dialects().items()}}


def _own(request: Request) -> Handler | None:
    path = tidy(request.path)
    if path in FOLDERS:  # a bare base URL, as tools of other vendors have it
        return status.welcome
    for pattern, handler in OWN:
        if match := pattern.fullmatch(path):
            request.params = match.groupdict()
            return handler
    return None


async def _preflight(request: Request, reply: Reply) -> None:
    """Any page may call any route: tools run in browsers, and a key is asked for anyway. A page on the open net may call a
    gateway on the user's own machine."""
    asked = request.headers.get("access-control-request-headers", "*")
    head = [*PREFLIGHT, (b"access-control-allow-headers", asked.encode("latin-1"))]
    if request.headers.get("access-control-request-private-network") == "true":
        head.append((b"access-control-allow-private-network", b"true"))
    await reply.whole(204, head, b"")
