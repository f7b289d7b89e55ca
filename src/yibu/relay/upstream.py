"""One request to a vendor: sent, and its refusals turned into ours."""

from typing import cast

import msgspec
import structlog

from yibu.dialects.dialect import NOWHERE, ChatDialect, VendorDialect
from yibu.hub.errors import Broken, InvalidRequest, Late, UpstreamError
from yibu.hub.loss import Losses
from yibu.kit.http import BodyTooLarge, HttpFailed, Response, TimedOut
from yibu.relay.call import Call, Wires
from yibu.routing.plan import Attempt

log = structlog.get_logger(__name__)

MOST_ERROR_BYTES = 64 * 1024
MOST_REPLY_BYTES = 64 * 1024 * 1024


async def send(
    call: Call, attempt: Attempt, spoken: VendorDialect, body: bytes, losses: Losses, wires: Wires
) -> Response:
    """Sends `body`, written in the dialect `spoken`, and returns when the head of a good answer is there.

    Raises `UpstreamError`. The caller closes the response.
    """
    channel, provider = attempt.channel, attempt.channel.provider
    target = call.intent.target if spoken.id == call.dialect.id else NOWHERE
    asked = provider.prepare_headers(spoken.id, spoken.request_headers(target))
    if provider.has_quirks(spoken.id, attempt.model):
        body = _fitted(body, attempt, spoken, asked, losses)
    is_stream = call.intent.is_stream
    accept = "application/json"
    if is_stream:
        accept = provider.stream_accepts.get(spoken.id) or cast(ChatDialect, spoken).stream_accept
    url = channel.url_of(spoken.id, attempt.model, is_stream=is_stream)
    response = await post(attempt, spoken, url, {"accept": accept, **asked}, body, wires)
    if is_stream:
        response.unwrap = provider.unwrap(spoken.id)
    return response


def _fitted(body: bytes, attempt: Attempt, spoken: VendorDialect, headers: dict[str, str], losses: Losses) -> bytes:
    """The body as this vendor wants it. Raises `InvalidRequest` for values in it that nobody can read."""
    provider = attempt.channel.provider
    try:
        members = msgspec.json.decode(body, type=dict[str, msgspec.Raw])
        members = provider.prepare(spoken.id, members, losses)
        return msgspec.json.encode(provider.take_headers(spoken.id, headers, members))
    except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
        raise InvalidRequest(f"The request has a value that nobody can read: {error}.") from error


async def post(
    attempt: Attempt, spoken: VendorDialect, url: str, headers: dict[str, str], body: bytes, wires: Wires
) -> Response:
    """The same for a body that is ready. `headers`: with the content type that is expected, without the credential."""
    accept = headers["accept"]
    secret = attempt.channel.secrets[attempt.credential]
    headers = {"content-type": "application/json", **headers}
    headers = await wires.credentials.headers(attempt.channel.provider.auth, secret, "POST", url, headers, body)
    try:
        response = await wires.client.request(
            "POST",
            url,
            headers=headers,
            body=body,
            connect_timeout_s=wires.limits.connect_s,
            first_byte_timeout_s=wires.limits.first_byte_s,
            idle_timeout_s=wires.limits.idle_s,
        )
    except HttpFailed as exc:
        raise broken(exc) from exc
    kind = response.headers.get("content-type", "")
    if response.status == 200 and (accept if accept != "application/json" else "json") in kind:
        return response
    try:
        said = await response.read(MOST_ERROR_BYTES)
    except HttpFailed as exc:
        raise broken(exc) from exc
    finally:
        await response.close()
    if response.status < 400:
        raise Broken(upstream_status=response.status, upstream_words=f"{kind}: {said[:200].decode('utf-8', 'replace')}")
    raise spoken.decode_error(response.status, response.headers, said)


def broken(exc: HttpFailed) -> UpstreamError:
    """What a failure of the wire means to routing and to the customer; its own words may name addresses, so they stay here."""
    log.info("upstream_failed", why=str(exc))
    if isinstance(exc, TimedOut):
        return Late(upstream_words=exc.stage)
    if isinstance(exc, BodyTooLarge):
        return Broken("The vendor's answer is too large.", upstream_words=str(exc))
    return Broken(upstream_words=str(exc))
