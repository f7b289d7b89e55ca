"""A film frame as three planes of limited-range BT.601 yuv420p, which ffmpeg takes without converting.

Working on planes halves the cost against RGB: the chroma planes have a quarter of the pixels.
"""

from dataclasses import dataclass

from PIL import Image

Colour = tuple[int, int, int]

_LUMA = [round(16 + value * 219 / 255) for value in range(256)]
_CHROMA = [round(128 + (value - 128) * 224 / 255) for value in range(256)]


@dataclass(frozen=True, slots=True)
class Stamp:
    """A mask in one colour, ready to be pressed on frames; `offset`: from the point to the mask's corner, pixels."""

    full: Image.Image
    half: Image.Image
    offset: tuple[int, int]
    colour: Colour  # Y, U, V


@dataclass(frozen=True, slots=True)
class Frame:
    """Planes Y, U and V; U and V have half the width and height. Width and height are even."""

    y: Image.Image
    u: Image.Image
    v: Image.Image

    @classmethod
    def of(cls, picture: Image.Image) -> "Frame":
        """The planes of an RGB picture."""
        y, u, v = picture.convert("YCbCr").split()
        half = (picture.width // 2, picture.height // 2)
        small = [plane.resize(half, Image.Resampling.BOX).point(_CHROMA) for plane in (u, v)]
        return cls(y.point(_LUMA), small[0], small[1])

    def cropped(self, left: float, top: float, width: float, height: float) -> "Frame":
        """The part of the frame inside the box, in fractions of a pixel, enlarged to the whole frame."""
        box = (left, top, left + width, top + height)
        halved = (left / 2, top / 2, (left + width) / 2, (top + height) / 2)
        return Frame(
            self.y.resize(self.y.size, Image.Resampling.BILINEAR, box),
            self.u.resize(self.u.size, Image.Resampling.BILINEAR, halved),
            self.v.resize(self.v.size, Image.Resampling.BILINEAR, halved),
        )

    def copy(self) -> "Frame":
        """A frame of its own, to draw on."""
        return Frame(self.y.copy(), self.u.copy(), self.v.copy())

    def press(self, stamp: Stamp, x: float, y: float) -> None:
        """Draw the stamp at a point, in place."""
        left, top = round(x) + stamp.offset[0], round(y) + stamp.offset[1]
        self.y.paste(stamp.colour[0], (left, top), stamp.full)
        for plane, value in ((self.u, stamp.colour[1]), (self.v, stamp.colour[2])):
            plane.paste(value, (left // 2, top // 2), stamp.half)

    def tobytes(self) -> bytes:
        """The planes one after the other, as rawvideo wants them."""
        return self.y.tobytes() + self.u.tobytes() + self.v.tobytes()


def stamp(mask: Image.Image, colour: Colour) -> Stamp:
    """A stamp from a mask (mode L) centred on the point; `colour`: RGB."""
    y, u, v = (plane.getpixel((0, 0)) for plane in Image.new("RGB", (1, 1), colour).convert("YCbCr").split())
    half = mask.resize((max(1, mask.width // 2), max(1, mask.height // 2)), Image.Resampling.BOX)
    planes = (_LUMA[int(y)], _CHROMA[int(u)], _CHROMA[int(v)])  # type: ignore[arg-type]
    return Stamp(mask, half, (-(mask.width // 2), -(mask.height // 2)), planes)
