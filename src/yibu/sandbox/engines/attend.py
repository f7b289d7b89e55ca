"""What the rules engine makes of pictures, sounds and documents: a sentence about each, and its tokens."""

import base64
import binascii
import io
import re
import wave
import zlib
from dataclasses import dataclass

from yibu.sandbox.ask import Media
from yibu.sandbox.engines.look import BrokenPicture, describe, open_data_url
from yibu.sandbox.refusal import Refusal

PICTURE_TOKENS = 170  # per tile of 512 pixels, and half as many for the picture itself
PAGE_TOKENS = 258  # per page of a document
SECOND_TOKENS = 32  # per second of sound or film

_PAGE = re.compile(rb"/Type\s*/Page(?![a-zA-Z])")
_STREAM = re.compile(rb"stream\r?\n(.*?)endstream", re.DOTALL)
_SHOWN = re.compile(rb"\(((?:[^()\\]|\\.)*)\)\s*Tj")


@dataclass(frozen=True, slots=True)
class Seen:
    """`tokens` in all, of which `audio` were sound."""

    said: str
    tokens: int
    audio: int = 0


def attend(media: Media, *, chinese: bool) -> Seen:
    """Look at it or listen to it. Raises `Refusal` 400 when it is broken."""
    if not media.url.startswith("data:"):
        return _linked(media, chinese)
    match media.kind:
        case "picture":
            return _picture(media.url, chinese)
        case "audio":
            return _audio(*_inline(media.url), chinese)
        case "document":
            return _document(*_inline(media.url), chinese)
        case "video":
            kind, content = _inline(media.url)
            said = (
                f"我收到一段 {kind} 影片（{len(content)} 字节）。"
                if chinese
                else f"I see a {kind} film of {len(content)} bytes."
            )
            return Seen(said, SECOND_TOKENS)


def _linked(media: Media, chinese: bool) -> Seen:
    kinds = {"picture": ("a picture", "图片"), "audio": ("a sound", "音频")}
    kinds |= {"document": ("a document", "文档"), "video": ("a film", "影片")}
    english, own = kinds[media.kind]
    if not re.match(r"(https?|gs|s3)://", media.url) and media.kind == "picture":
        raise Refusal(
            400,
            "Invalid image: expected a base64-encoded data URL with an image MIME type.",
            code="invalid_image_url",
            param="messages",
        )
    said = (
        f"我看到一个{own}链接（{media.url}），但我不会打开链接。"
        if chinese
        else f"I see a link to {english} ({media.url}), which I do not open."
    )
    return Seen(said, PICTURE_TOKENS // 2)


def _picture(url: str, chinese: bool) -> Seen:
    try:
        picture = open_data_url(url)
    except BrokenPicture as exc:
        raise Refusal(400, f"Invalid image: {exc}.", code="invalid_image_url", param="messages") from exc
    tiles = -(-picture.width // 512) * -(-picture.height // 512)
    return Seen(describe(picture, chinese=chinese), PICTURE_TOKENS // 2 + PICTURE_TOKENS * tiles)


def _audio(kind: str, content: bytes, chinese: bool) -> Seen:
    if not content:
        raise Refusal(400, "Invalid audio: it is empty.", code="invalid_audio", param="messages")
    seconds = None
    if content[:4] == b"RIFF":
        try:
            with wave.open(io.BytesIO(content)) as sound:
                seconds = sound.getnframes() / (sound.getframerate() or 1)
        except (wave.Error, EOFError) as exc:
            raise Refusal(400, f"Invalid audio: {exc}.", code="invalid_audio", param="messages") from exc
    tokens = max(SECOND_TOKENS, round(SECOND_TOKENS * (seconds or 0)))
    length = f"{seconds:.1f} s" if seconds is not None else f"{len(content)} bytes"
    own = f"{seconds:.1f} 秒" if seconds is not None else f"{len(content)} 字节"
    said = f"我听到一段 {own}的 {kind} 声音。" if chinese else f"I hear a sound of {length} ({kind})."
    return Seen(said, tokens, tokens)


def _document(kind: str, content: bytes, chinese: bool) -> Seen:
    if content[:5] != b"%PDF-":
        text = content.decode("utf-8", "replace")
        start = text.strip().partition("\n")[0][:80]
        said = f"文档以“{start}”开头。" if chinese else f'The document begins with "{start}".'
        return Seen(said, max(1, len(text) // 4))
    pages = max(1, len(_PAGE.findall(content)))
    words = _words(content)
    if chinese:
        said = f"这是一份 {pages} 页的 PDF 文档" + (f"，内容是“{words}”。" if words else "。")
    else:
        said = f"This is a PDF document of {pages} page{'s' * (pages > 1)}" + (
            f'; it says "{words}".' if words else "."
        )
    return Seen(said, PAGE_TOKENS * pages)


def _words(content: bytes) -> str:
    """The first words of a PDF whose text is shown plainly; empty for all other ways to draw text."""
    found: list[str] = []
    for stream in _STREAM.findall(content)[:50]:
        try:
            plain = zlib.decompressobj().decompress(stream, 1 << 20) if stream[:1] == b"\x78" else stream
        except zlib.error:
            continue
        found += [text.decode("latin-1") for text in _SHOWN.findall(plain)]
    return " ".join(found)[:120]


def _inline(url: str) -> tuple[str, bytes]:
    """The MIME type and the bytes of a data URL."""
    head, comma, data = url.partition(",")
    if not comma or not head.endswith(";base64"):
        raise Refusal(400, "Invalid data: expected a base64-encoded data URL.", code="invalid_value", param="messages")
    try:
        return head[5:].partition(";")[0], base64.b64decode(data, validate=True)
    except (binascii.Error, ValueError) as exc:
        raise Refusal(400, "Invalid data: it is not base64.", code="invalid_base64", param="messages") from exc
