"""Describes a picture in a sentence, from its pixels: kind, size, orientation, colours, brightness."""

import base64
import binascii
import io
from colorsys import rgb_to_hsv

from PIL import Image, UnidentifiedImageError

PIXEL_LIMIT = 50_000_000  # more is refused before decoding


class BrokenPicture(Exception):
    """The data is not a picture that can be read; the message says why."""


_NAMES = {
    "black": "黑色",
    "white": "白色",
    "grey": "灰色",
    "red": "红色",
    "orange": "橙色",
    "brown": "棕色",
    "yellow": "黄色",
    "green": "绿色",
    "cyan": "青色",
    "blue": "蓝色",
    "purple": "紫色",
    "pink": "粉色",
}
_HUES = ((15, "red"), (42, "orange"), (68, "yellow"), (165, "green"), (195, "cyan"), (258, "blue"), (290, "purple"))


def open_data_url(url: str) -> Image.Image:
    """Decode a `data:image/…;base64,…` URL; the format is kept on the image. Raises `BrokenPicture`."""
    head, comma, data = url.partition(",")
    if not comma or not head.startswith("data:image/") or not head.endswith(";base64"):
        raise BrokenPicture("expected a base64-encoded data URL with an image MIME type")
    try:
        content = base64.b64decode(data, validate=True)
    except (binascii.Error, ValueError) as exc:
        raise BrokenPicture("the data URL is not valid base64") from exc
    return open_picture(content)


def open_picture(content: bytes) -> Image.Image:
    """Decode a png, jpeg, webp or gif. Raises `BrokenPicture`."""
    try:
        picture = Image.open(io.BytesIO(content), formats=("PNG", "JPEG", "WEBP", "GIF"))
        if picture.width * picture.height > PIXEL_LIMIT:
            raise BrokenPicture("the picture has too many pixels")
        picture.load()
    except (UnidentifiedImageError, OSError, SyntaxError, ValueError, Image.DecompressionBombError) as exc:
        raise BrokenPicture("the image data is broken or not a png, jpeg, webp or gif") from exc
    return picture


def describe(picture: Image.Image, *, chinese: bool) -> str:
    """One sentence about the picture."""
    width, height = picture.size
    small = picture.convert("RGBA").resize((48, 48), Image.Resampling.BOX)
    canvas = Image.new("RGBA", small.size, "white")
    canvas.alpha_composite(small)
    pixels = list(_pixels(canvas.convert("RGB")))
    brightness = sum(0.299 * r + 0.587 * g + 0.114 * b for r, g, b in pixels) / len(pixels) / 255
    colours = _main_colours(pixels)
    kind = picture.format or "picture"
    if chinese:
        shape = "横向" if width > height else "竖向" if height > width else "正方形"
        light = "整体明亮" if brightness > 0.66 else "整体偏暗" if brightness < 0.33 else "明暗适中"
        return f"这是一张 {width}×{height} 像素的{shape} {kind} 图片，主要颜色是{'、'.join(_NAMES[c] for c in colours)}，{light}。"
    shape = "landscape" if width > height else "portrait" if height > width else "square"
    light = "bright" if brightness > 0.66 else "dark" if brightness < 0.33 else "of medium brightness"
    article = "an" if kind[0] in "AEIOU" else "a"
    return (
        f"This is {article} {kind} picture of {width}x{height} pixels in {shape} orientation; "
        f"its main colours are {' and '.join(colours)}, and it is {light}."
    )


def _pixels(picture: Image.Image) -> list[tuple[int, int, int]]:
    data = picture.tobytes()
    return list(zip(data[0::3], data[1::3], data[2::3], strict=True))


def _main_colours(pixels: list[tuple[int, int, int]]) -> list[str]:
    """The names of the one to three colours that cover most of the picture."""
    counts: dict[str, int] = {}
    for pixel in pixels:
        name = _colour(*pixel)
        counts[name] = counts.get(name, 0) + 1
    ranked = sorted(counts, key=lambda name: (-counts[name], name))
    return [name for rank, name in enumerate(ranked[:3]) if rank == 0 or counts[name] > len(pixels) * 0.12]


def _colour(red: int, green: int, blue: int) -> str:
    hue, saturation, value = rgb_to_hsv(red / 255, green / 255, blue / 255)
    degrees = hue * 360
    if value < 0.16:
        return "black"
    if saturation < 0.12:
        return "white" if value > 0.85 else "grey"
    if (degrees < 15 or degrees > 330) and saturation < 0.45 and value > 0.75:
        return "pink"
    if 15 <= degrees < 42 and value < 0.6:
        return "brown"
    return next((name for limit, name in _HUES if degrees < limit), "pink" if degrees < 330 else "red")
