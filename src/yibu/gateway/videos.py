"""Films that were asked for earlier: their state, their content, and the two links that stand in a chat answer."""

import html

import msgspec

from yibu.dialects.openai_videos import DIALECT, Status, WireVideo, WireVideoError
from yibu.gateway.admit import identify
from yibu.gateway.files import send_file
from yibu.gateway.house import House
from yibu.gateway.request import Request
from yibu.hub.errors import InvalidRequest, NotFound
from yibu.relay import links
from yibu.relay.headers import JSON
from yibu.relay.reply import Reply
from yibu.tasks.films import KIND, Order
from yibu.tasks.task import State, Task

HTML = (b"content-type", b"text/html; charset=utf-8")
POLL_AFTER_MS = (b"openai-poll-after-ms", b"2000")
NO_STORE = (b"cache-control", b"no-store")

PAGE = """<!doctype html>
<html lang="zh"><meta charset="utf-8"><meta name="viewport" content="width=device-width">{refresh}
<title>{title}</title>
<style>body{{font:16px/1.6 system-ui,sans-serif;max-width:44rem;margin:2rem auto;padding:0 1rem;color:#222}}
video{{max-width:100%;max-height:70vh;border-radius:.5rem;background:#000}}code{{font-size:.85em;color:#666}}
progress{{width:100%}}</style>
<h1>{title}</h1><p>{prompt}</p>{body}<p><code>{id}</code></p></html>
"""


async def show_video(request: Request, reply: Reply, house: House) -> None:
    task = await _own(request, house)
    head = [JSON] if task.state.is_final else [JSON, POLL_AFTER_MS]
    await reply.whole(200, head, await _encode(task, request, house))


async def video_content(request: Request, reply: Reply, house: House) -> None:
    """Raises `InvalidRequest` while the film is not there yet, `NotFound` when its time is over."""
    task = await _own(request, house)
    if task.state is not State.DONE:
        status = "failed" if task.state.is_final else _status(task)
        raise InvalidRequest(
            f"The film is not ready yet: it is {status}. Ask again when it is completed.", param="video"
        )
    variant = request.query.get("variant", "video")
    file = (await house.wires.files.of_task(task.id)).get(variant)
    if file is None:
        raise NotFound("This film's file has expired, or it has no such variant.")
    await send_file(file, request, reply, house)


async def source(request: Request, reply: Reply, house: House) -> None:
    """The state as JSON, for whoever has the signed link."""
    task = await _linked(request, house)
    await reply.whole(200, [JSON, NO_STORE], await _encode(task, request, house))


async def preview(request: Request, reply: Reply, house: House) -> None:
    """The state as a page for people, which reloads itself until the film is there."""
    task = await _linked(request, house)
    order = msgspec.json.decode(task.request, type=Order)
    url = (await _wire(task, request, house)).video_url
    if url:
        title, body = "生成完成 · Ready", f'<video src="{html.escape(url)}" controls autoplay loop muted></video>'
    elif task.state is State.DONE:
        title, body = "链接已过期 · Link expired", ""
    elif task.state.is_final:
        title, body = "生成失败 · Failed", f"<p>{html.escape(task.error_message)}</p>"
    else:
        title, body = "生成中 · In progress", f'<progress max="100" value="{task.progress}"></progress>'
    refresh = "" if task.state.is_final else '<meta http-equiv="refresh" content="3">'
    page = PAGE.format(title=title, prompt=html.escape(order.prompt), body=body, id=task.id, refresh=refresh)
    policy = (b"content-security-policy", b"default-src 'none'; style-src 'unsafe-inline'; media-src 'self'")
    await reply.whole(200, [HTML, NO_STORE, policy], page.encode())


async def _own(request: Request, house: House) -> Task:
    """The caller's own film; ids of others are as good as none. Raises `NotFound`."""
    caller = await identify(request, house)
    task = await house.wires.engine.find(request.params["video"])
    if task is None or task.wallet != caller.wallet or task.kind != KIND:
        raise NotFound("There is no film with this id among yours.")
    return task


async def _linked(request: Request, house: House) -> Task:
    task_id = links.read_task(request.params["task"], house.wires.signer)
    task = await house.wires.engine.find(task_id) if task_id else None
    if task is None:
        raise NotFound("This link does not lead to a film.")
    return task


async def _encode(task: Task, request: Request, house: House) -> bytes:
    return DIALECT.encode_video(await _wire(task, request, house))


async def _wire(task: Task, request: Request, house: House) -> WireVideo:
    order = msgspec.json.decode(task.request, type=Order)
    files = await house.wires.files.of_task(task.id) if task.state is State.DONE else {}
    base = request.public_url(house.settings.server.public_url)
    urls = {kind: links.of_file(base, file) for kind, file in files.items()}
    film = files.get("video")
    return WireVideo(
        id=task.id,
        model=task.model,
        status=_status(task),
        progress=100 if task.state is State.DONE else task.progress,
        created_at=task.created_at // 1000,
        prompt=order.prompt,
        size=f"{order.size[0]}x{order.size[1]}",
        seconds=str(order.seconds),
        completed_at=task.final_at // 1000 if task.state is State.DONE and task.final_at else None,
        expires_at=film.expires_at // 1000 if film and film.expires_at else None,
        remixed_from_video_id=order.parent or None,
        error=WireVideoError(task.error_code, task.error_message) if task.error_code else None,
        video_url=urls.get("video"),
        thumbnail_url=urls.get("thumbnail"),
    )


def _status(task: Task) -> Status:
    match task.state:
        case State.DONE:
            return "completed"
        case State.FAILED | State.EXPIRED:
            return "failed"
        case _:
            return "queued" if task.is_queued else "in_progress"
