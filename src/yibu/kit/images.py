"""Pictures: reading those that callers send, and bringing them to the size that a vendor wants (Pillow).

Everything here computes, up to a second for a large picture: call it with `asyncio.to_thread`. Pillow is imported by
the functions that need it: it takes 5 MB, and many a gateway never sees a picture.
"""

import base64
import binascii
import io
import re
import struct
import warnings
import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal
from urllib.parse import unquote_to_bytes

if TYPE_CHECKING:
    from PIL import Image

MAX_PIXELS = 40_000_000
"""About 160 MB when decoded; the largest pictures that vendors take have 8,000 by 8,000 pixels at 64 million."""

_FORMATS = {"PNG": "image/png", "JPEG": "image/jpeg", "WEBP": "image/webp", "GIF": "image/gif"}
# What Pillow's decoders raise on broken data; it documents OSError only.
_BROKEN = (OSError, SyntaxError, ValueError, EOFError, IndexError, KeyError, TypeError, struct.error, zlib.error)
# Up to this ratio of the two aspects the edges that cover-cropping cuts off are narrow.
_NEAR = 1.12
_DATA_URL = re.compile(r"\s*data:([^,]*),(.*)", re.IGNORECASE | re.DOTALL)
_MIME = re.compile(r"[a-z0-9.+-]+/[a-z0-9.+-]+")
_MAGIC = (
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"GIF87a", "image/gif"),
    (b"GIF89a", "image/gif"),
    (b"%PDF-", "application/pdf"),
)
_STANDARD = bytes.maketrans(b"-_", b"+/")
_BLANK = b" \t\r\n\f\v"


class NotAPicture(Exception):
    """These bytes are not a picture that we can use. The message is fit for the caller."""

    def __init__(self, reason: str) -> None:
        self.reason = reason
        super().__init__(reason)


@dataclass(frozen=True, slots=True)
class Picture:
    """A decoded picture, upright as the camera was held."""

    image: "Image.Image"
    """In mode RGB or RGBA."""
    mime: str
    """What the bytes were, from the bytes themselves: `image/png`, `image/jpeg`, `image/webp` or `image/gif`."""

    @property
    def width(self) -> int:
        """In pixels, after turning upright."""
        return self.image.width

    @property
    def height(self) -> int:
        """In pixels, after turning upright."""
        return self.image.height


def open_picture(data: bytes, max_pixels: int = MAX_PIXELS) -> Picture:
    """Decodes a PNG, JPEG, WebP or GIF (its first frame) completely. CPU: call it in a thread.

    Raises `NotAPicture` for anything else, for data that is cut off or broken, and for more than `max_pixels` pixels,
    which is checked before any memory is taken for them.
    """
    from PIL import Image, ImageOps, UnidentifiedImageError

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            with Image.open(io.BytesIO(data), formats=tuple(_FORMATS)) as opened:
                if opened.width * opened.height > max_pixels:
                    raise NotAPicture(f"the picture has more than {max_pixels} pixels")
                mime = _FORMATS[opened.format or ""]
                opened.load()
                upright = ImageOps.exif_transpose(opened)
                if upright.mode.startswith("I"):  # 16-bit grey: convert alone would turn all but black into white
                    upright = upright.convert("I").point(lambda value: value * (1 / 256)).convert("L")
                has_alpha = "A" in upright.getbands() or "transparency" in upright.info
                return Picture(upright.convert("RGBA" if has_alpha else "RGB"), mime)
    except UnidentifiedImageError as exc:
        raise NotAPicture("the data is not a PNG, JPEG, WebP or GIF picture") from exc
    except Image.DecompressionBombError as exc:
        raise NotAPicture(f"the picture has more than {max_pixels} pixels") from exc
    except _BROKEN as exc:
        raise NotAPicture("the picture is damaged or incomplete") from exc


def fit(picture: Picture, size: tuple[int, int], format: Literal["png", "jpeg"] = "png") -> bytes:
    """The picture in exactly `size` (width, height in pixels), encoded. CPU: call it in a thread.

    When the two aspects are near, narrow edges are cut off. Else the whole picture is shown, in front of a blurred and
    enlarged copy of itself, so nothing of it is lost. JPEG has no transparency: it becomes white.
    """
    from PIL import Image, ImageOps

    image = picture.image
    if format == "jpeg" and image.mode == "RGBA":
        white = Image.new("RGBA", image.size, "white")
        image = Image.alpha_composite(white, image).convert("RGB")
    ratio = (image.width * size[1]) / (image.height * size[0])
    fitted = ImageOps.fit(image, size) if 1 / _NEAR <= ratio <= _NEAR else _contain(image, size)
    written = io.BytesIO()
    if format == "png":
        fitted.save(written, "PNG", compress_level=3)
    else:
        fitted.save(written, "JPEG", quality=92)
    return written.getvalue()


def parse_data_url(url: str) -> tuple[str, bytes]:
    """The mime type and the bytes of a data URL (RFC 2397), read as tolerantly as vendors do.

    Parameters such as `charset` are skipped, white space is dropped, base64 may be url-safe and lack its padding. A mime
    type that is missing or contradicts the first bytes is replaced by what these say; `application/octet-stream` when
    they say nothing either. Raises `NotAPicture` when it is not a data URL or not base64.
    """
    match = _DATA_URL.match(url)
    if match is None:
        raise NotAPicture("the data URL must look like data:image/png;base64,…")
    head, text = match.groups()
    declared, *parameters = (part.strip().lower() for part in head.split(";"))
    try:
        content = unquote_to_bytes(text) if "%" in text else text.encode()
    except UnicodeEncodeError as exc:
        raise NotAPicture("the data URL is not valid text") from exc
    if "base64" in (declared, *parameters):
        content = _decode_base64(content)
    if not content:
        raise NotAPicture("the data URL is empty")
    mime = sniff(content) or (declared if _MIME.fullmatch(declared) else "application/octet-stream")
    return mime, content


def sniff(data: bytes) -> str:
    """The mime type that the first bytes tell: PNG, JPEG, GIF, WebP or PDF; empty for everything else."""
    for magic, mime in _MAGIC:
        if data.startswith(magic):
            return mime
    return "image/webp" if data[:4] == b"RIFF" and data[8:12] == b"WEBP" else ""


def _contain(image: "Image.Image", size: tuple[int, int]) -> "Image.Image":
    from PIL import Image, ImageFilter, ImageOps

    # Blurring a small copy looks the same as blurring a large one and costs a hundredth.
    small = ImageOps.fit(image.convert("RGB"), (max(1, size[0] // 12), max(1, size[1] // 12)))
    behind = small.filter(ImageFilter.GaussianBlur(2)).resize(size, Image.Resampling.BICUBIC).convert(image.mode)
    whole = ImageOps.contain(image, size)
    at = ((size[0] - whole.width) // 2, (size[1] - whole.height) // 2)
    behind.paste(whole, at, whole if whole.mode == "RGBA" else None)
    return behind


def _decode_base64(text: bytes) -> bytes:
    packed = text.translate(_STANDARD, _BLANK).rstrip(b"=")
    try:
        return base64.b64decode(packed + b"=" * (-len(packed) % 4), validate=True)
    except binascii.Error as exc:
        raise NotAPicture("the data URL is not valid base64") from exc
