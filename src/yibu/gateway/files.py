"""Artefacts by their link, with range requests so that players can seek. Source: RFC 9110, sections 13 and 14."""

import re

from yibu.gateway.house import House
from yibu.gateway.request import Request
from yibu.hub.errors import NotFound
from yibu.kit.blobs import BlobAbsent
from yibu.kit.ids import now_ms
from yibu.relay.reply import Headers, Reply
from yibu.tasks.files import File

# 18 digits are more than any file has; `int` would refuse thousands of them.
_RANGE = re.compile(r"bytes=(\d{0,18})-(\d{0,18})", re.IGNORECASE)


async def show_file(request: Request, reply: Reply, house: House) -> None:
    """Whoever has the link has the file, until it expires. Raises `NotFound`."""
    file = await house.wires.files.find(request.params["file"].partition(".")[0])
    if file is None:
        raise NotFound("This link has expired, or it never led to a file.")
    await send_file(file, request, reply, house)


async def send_file(file: File, request: Request, reply: Reply, house: House) -> None:
    """Answers with the whole file or with the one range that was asked for."""
    etag = f'"{file.id}"'
    head: Headers = [
        (b"content-type", file.mime.encode()),
        (b"accept-ranges", b"bytes"),
        (b"etag", etag.encode()),
        (b"cache-control", f"private, max-age={_life_s(file)}".encode()),
        (b"x-content-type-options", b"nosniff"),
    ]
    if _is_known(request.headers.get("if-none-match", ""), etag):
        await reply.whole(304, head, b"")
        return
    may_range = not request.is_head and request.headers.get("if-range", etag) == etag
    part = _part(request.headers.get("range", ""), file.size) if may_range else None
    start, end = part or (0, file.size)
    if part and start >= end:
        await reply.whole(416, [*head, (b"content-range", f"bytes */{file.size}".encode())], b"")
        return
    length = (b"content-length", str(end - start).encode())
    if part:
        head.append((b"content-range", f"bytes {start}-{end - 1}/{file.size}".encode()))
    try:
        await house.wires.files.blobs.size(file.id)
    except BlobAbsent as exc:
        raise NotFound("This file is not there any more.") from exc
    async with reply.watching(0.0):
        await reply.start(206 if part else 200, [*head, length])
        if not request.is_head:
            async for piece in house.wires.files.blobs.read_range(file.id, start, end):
                await reply.write(piece)
        await reply.end()


def _is_known(tags: str, etag: str) -> bool:
    """Whether a list of entity tags names this one; `*` is any."""
    return any(tag.strip().removeprefix("W/") in (etag, "*") for tag in tags.split(","))


def _part(wanted: str, size: int) -> tuple[int, int] | None:
    """First byte and the one after the last, the same or less when there is no such part; None for the whole file, which
    is also meant by a header that is not understood."""
    match = _RANGE.fullmatch(wanted.strip())
    if match is None or match.groups() == ("", ""):
        return None
    first, last = match.groups()
    if not first:
        return max(size - int(last), 0), size
    if last and int(last) < int(first):
        return None
    return int(first), min(int(last) + 1, size) if last else size


def _life_s(file: File) -> int:
    return 86_400 if file.expires_at is None else max((file.expires_at - now_ms()) // 1000, 0)
