import base64
import io
import struct
import warnings
import zlib
from contextlib import suppress

import pytest
from PIL import Image

from yibu.kit.images import NotAPicture, fit, open_picture, parse_data_url


def encode(image: Image.Image, format: str = "PNG", **options: object) -> bytes:
    written = io.BytesIO()
    image.save(written, format, **options)
    return written.getvalue()


def noise(width: int = 64, height: int = 48) -> Image.Image:
    return Image.effect_noise((width, height), 80).convert("RGB")


def read(data: bytes) -> Image.Image:
    image = Image.open(io.BytesIO(data))
    image.load()
    return image


@pytest.mark.parametrize(
    ("format", "mime"),
    [("PNG", "image/png"), ("JPEG", "image/jpeg"), ("WEBP", "image/webp"), ("GIF", "image/gif")],
)
def test_four_formats_are_read(format: str, mime: str) -> None:
    """PNG, JPEG, WebP and GIF open with their size and what they are."""
    picture = open_picture(encode(noise(), format))

    assert (picture.width, picture.height, picture.mime) == (64, 48, mime)
    assert picture.image.mode == "RGB"


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGBA", "I;16"])
def test_every_mode_becomes_colour(mode: str) -> None:
    """Grey, palette, 16-bit and transparent pictures are brought to RGB or RGBA."""
    image = Image.new(mode, (8, 8))

    assert open_picture(encode(image)).image.mode == ("RGBA" if mode in ("LA", "RGBA") else "RGB")


def test_deep_grey_keeps_its_tone() -> None:
    """Half of the 16-bit scale is half of the 8-bit scale."""
    assert open_picture(encode(Image.new("I;16", (8, 8), 0x8000))).image.getpixel((0, 0)) == (128, 128, 128)


def test_printers_colours_are_read() -> None:
    """A CMYK JPEG becomes RGB."""
    assert open_picture(encode(Image.new("CMYK", (8, 8)), "JPEG")).image.mode == "RGB"


def test_an_animation_gives_its_first_frame() -> None:
    """Of an animated GIF the first frame is the picture."""
    frames = [Image.new("RGB", (8, 8), colour) for colour in ("red", "blue")]
    picture = open_picture(encode(frames[0], "GIF", save_all=True, append_images=frames[1:]))

    assert picture.image.getpixel((0, 0)) == (255, 0, 0)


def test_a_turned_photo_is_upright() -> None:
    """The orientation that a camera notes is applied: width and height are those people see."""
    exif = Image.Exif()
    exif[0x0112] = 6
    image = Image.new("RGB", (40, 20), "white")
    image.paste("black", (0, 0, 20, 20))
    picture = open_picture(encode(image, "JPEG", exif=exif, quality=100))

    assert (picture.width, picture.height) == (20, 40)
    assert picture.image.getpixel((10, 5)) == (0, 0, 0)
    assert picture.image.getpixel((10, 35)) == (255, 255, 255)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\x00",
        b"<svg xmlns='http://www.w3.org/2000/svg'/>",
        b"<!doctype html><html></html>",
        b"\x89PNG\r\n\x1a\n",
        b"GIF89a",
        b"RIFF\x00\x00\x00\x00WEBP",
        b"\xff\xd8\xff\xe0",
        b"%PDF-1.7",
        bytes(range(256)) * 10,
        pytest.param(encode(noise(), "BMP"), id="bmp"),
        pytest.param(encode(noise(), "TIFF"), id="tiff"),
        pytest.param(encode(noise(), "ICO"), id="ico"),
    ],
)
def test_anything_else_is_not_a_picture(data: bytes) -> None:
    """Markup, other formats, bare magic numbers and noise are refused with a reason."""
    with pytest.raises(NotAPicture):
        open_picture(data)


@pytest.mark.parametrize("format", ["PNG", "JPEG", "WEBP", "GIF"])
@pytest.mark.parametrize("part", [0.05, 0.3, 0.6, 0.95])
def test_a_cut_off_picture_is_refused(format: str, part: float) -> None:
    """A picture that ends early is refused wherever it was cut."""
    data = encode(noise(200, 200), format)

    with pytest.raises(NotAPicture):
        open_picture(data[: int(len(data) * part)])


@pytest.mark.parametrize("format", ["PNG", "JPEG", "WEBP", "GIF"])
def test_damaged_pictures_never_raise_anything_else(format: str) -> None:
    """Whatever byte is wrong: it is a picture, or `NotAPicture`."""
    data = encode(noise(24, 24), format)
    for at in range(0, len(data), 7):
        broken = data[:at] + bytes([data[at] ^ 0xFF]) + data[at + 1 :]
        with suppress(NotAPicture):
            open_picture(broken)


def test_a_bomb_is_refused_before_it_is_unpacked() -> None:
    """A few bytes that announce a giant picture cost nothing, and raise no warning."""

    def chunk(name: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    for side in (10_000, 50_000):
        header = struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)
        body = zlib.compress(bytes(1000))
        bomb = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", body) + chunk(b"IEND", b"")
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            with pytest.raises(NotAPicture, match="more than 40000000 pixels"):
                open_picture(bomb)


def test_the_limit_counts_pixels() -> None:
    """Exactly as many pixels as allowed are fine, one row more is not."""
    open_picture(encode(noise(10, 10)), max_pixels=100)

    with pytest.raises(NotAPicture):
        open_picture(encode(noise(10, 11)), max_pixels=100)


@pytest.mark.parametrize("size", [(1280, 720), (720, 1280), (512, 512), (31, 7), (1, 1)])
@pytest.mark.parametrize("source", [(64, 48), (10, 300), (300, 10), (1, 1)])
@pytest.mark.parametrize("format", ["png", "jpeg"])
def test_the_size_is_exact(source: tuple[int, int], size: tuple[int, int], format: str) -> None:
    """Whatever comes in, what goes out has exactly the wanted size and format."""
    fitted = read(fit(open_picture(encode(noise(*source))), size, "png" if format == "png" else "jpeg"))

    assert fitted.size == size
    assert fitted.format == format.upper()


def test_a_near_aspect_is_cropped() -> None:
    """A picture that nearly has the wanted aspect fills it to the edges."""
    image = Image.new("RGB", (1000, 560), "blue")

    assert set(read(fit(open_picture(encode(image)), (1280, 720))).convert("RGB").getcolors() or []) == {
        (1280 * 720, (0, 0, 255))
    }


def test_a_far_aspect_loses_nothing() -> None:
    """A portrait in a landscape is shown whole, its corners included, in front of a blurred copy of itself."""
    image = Image.new("RGB", (400, 800), "white")
    for corner, colour in (((0, 0), "red"), ((360, 0), "green"), ((0, 760), "blue"), ((360, 760), "black")):
        image.paste(colour, (*corner, corner[0] + 40, corner[1] + 40))
    fitted = read(fit(open_picture(encode(image)), (1280, 720))).convert("RGB")

    # The picture is 360 wide and stands in the middle, from 460 to 820.
    assert fitted.getpixel((470, 10)) == (255, 0, 0)
    assert fitted.getpixel((810, 10)) == (0, 128, 0)
    assert fitted.getpixel((470, 710)) == (0, 0, 255)
    assert fitted.getpixel((810, 710)) == (0, 0, 0)
    assert fitted.getpixel((100, 360)) == (255, 255, 255)


def test_transparency_stays_in_png_and_is_white_in_jpeg() -> None:
    """A cropped transparent picture keeps its holes as PNG; JPEG has none, so they are white."""
    picture = open_picture(encode(Image.new("RGBA", (100, 100), (255, 0, 0, 0))))

    assert read(fit(picture, (50, 50))).getpixel((25, 25))[3] == 0  # type: ignore[index]
    assert read(fit(picture, (50, 50), "jpeg")).getpixel((25, 25)) == (255, 255, 255)


PNG = encode(Image.new("RGB", (1, 1)))
BASE64 = base64.b64encode(PNG).decode()


@pytest.mark.parametrize(
    "url",
    [
        f"data:image/png;base64,{BASE64}",
        f"data:image/png;charset=utf-8;base64,{BASE64}",
        f"data:image/png;name=a%20b.png;base64,{BASE64}",
        f"DATA:IMAGE/PNG;BASE64,{BASE64}",
        f"data:;base64,{BASE64}",
        f"data:base64,{BASE64}",
        f"data:image/jpeg;base64,{BASE64}",
        f"data:image/png; base64, {BASE64}",
        f"  data:image/png;base64,{BASE64[:10]}\n {BASE64[10:30]}\r\n\t{BASE64[30:]}\n",
        f"data:image/png;base64,{BASE64.rstrip('=')}",
        f"data:image/png;base64,{BASE64}====",
        f"data:image/png;base64,{BASE64.replace('+', '-').replace('/', '_')}",
        f"data:image/png;base64,{BASE64.replace('+', '%2B').replace('/', '%2F').replace('=', '%3D')}",
    ],
)
def test_data_urls_are_read_tolerantly(url: str) -> None:
    """Parameters, case, white space, alphabet, padding, escapes and a wrong or missing mime type do not matter."""
    assert parse_data_url(url) == ("image/png", PNG)


def test_unknown_content_keeps_its_declared_type() -> None:
    """Where the bytes say nothing, the declared type stands; without one it is a stream of octets."""
    assert parse_data_url("data:image/svg+xml,%3Csvg/%3E") == ("image/svg+xml", b"<svg/>")
    assert parse_data_url("data:;base64,aGk=") == ("application/octet-stream", b"hi")


@pytest.mark.parametrize(
    "url",
    [
        "",
        "data:",
        "data:image/png;base64",
        "data:image/png;base64,",
        "data:image/png;base64,A",
        "https://x/a.png",
        "data:image/png;base64,!!!!",
        "data:image/png;base64,AAAA=AAAA",
        "data:image/png;base64,图片",
        "data:,\ud800",
    ],
)
def test_a_broken_data_url_is_not_a_picture(url: str) -> None:
    """Texts that are no data URL, or no base64, are refused with a reason."""
    with pytest.raises(NotAPicture):
        parse_data_url(url)
