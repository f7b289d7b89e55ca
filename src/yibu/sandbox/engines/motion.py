"""What moves over a film's picture: a bird that flaps across, falling snow, rain, drifting petals.

Every motion leaves the first frame as it is: things come in from outside or fade in.
"""

import math
import random
from typing import Protocol

from PIL import Image, ImageDraw, ImageFilter

from yibu.sandbox.engines import figures
from yibu.sandbox.engines.frame import Frame, Stamp, stamp

PHASES = 12  # pictures of one wing beat


class Motion(Protocol):
    """Something that is drawn anew on each frame."""

    def draw(self, frame: Frame, at_s: float, share: float) -> None:
        """Draw in place. `at_s`: seconds since the start. `share`: how much of the film has passed, 0 to 1."""


def motions(subjects: frozenset[str], picture: Image.Image, dice: random.Random) -> list[Motion]:
    """The motions for what a prompt names, in drawing order. `picture`: what they move over."""
    width, height = picture.size
    made: list[Motion] = []
    if "bird" in subjects:
        sky = picture.convert("L").resize((1, 1), Image.Resampling.BOX, (0, 0, width, height // 2)).getpixel((0, 0))
        made.append(_Bird(width, height, (38, 40, 54) if isinstance(sky, int) and sky > 84 else (206, 210, 226), dice))
    if "snow" in subjects:
        made.append(_Falling.snow(width, height, dice))
    if "rain" in subjects:
        made.append(_Falling.rain(width, height, dice))
    if "flower" in subjects:
        made.append(_Falling.petals(width, height, dice))
    return made


MOVING = frozenset({"bird", "snow", "rain"})  # a painted picture leaves these to the motions


class _Bird:
    def __init__(self, width: int, height: int, colour: tuple[int, int, int], dice: random.Random) -> None:
        self.width, self.height = width, height
        self.colour = colour
        self.size = min(width, height) * 0.17
        self.level = height * dice.uniform(0.24, 0.36)
        self.beat_hz = dice.uniform(1.8, 2.3)
        self.stamps = [self._stamp(math.cos(phase * math.tau / PHASES)) for phase in range(PHASES)]

    def _stamp(self, wing: float) -> Stamp:
        side = int(self.size * 1.3) // 2 * 2
        mask = Image.new("L", (side * 3, side * 3), 0)
        figures.bird(ImageDraw.Draw(mask), side * 1.5, side * 1.5, self.size * 3, wing, 245)
        return stamp(mask.resize((side, side), Image.Resampling.BOX), self.colour)

    def draw(self, frame: Frame, at_s: float, share: float) -> None:
        margin = self.size
        x = -margin + (self.width + 2 * margin) * share
        phase = at_s * self.beat_hz * PHASES
        glide = math.sin(share * math.tau * 1.1) * self.height * 0.05
        bob = -math.cos(phase / PHASES * math.tau) * self.size * 0.06
        frame.press(self.stamps[int(phase) % PHASES], x, self.level - share * self.height * 0.06 + glide - bob)


class _Falling:
    """Particles that fall and sway, and come in again at the top."""

    def __init__(
        self,
        width: int,
        height: int,
        dice: random.Random,
        stamps: list[list[Stamp]],
        count: int,
        speed: float,
        sway: float,
    ) -> None:
        self.width, self.height = width, height
        self.stamps = stamps  # by size, each from faint to full
        self.sway = sway * min(width, height)
        self.parts = [
            (
                dice.random(),
                dice.random(),
                dice.uniform(0.75, 1.3) * speed,
                dice.uniform(0, math.tau),
                dice.randrange(len(stamps)),
            )
            for _ in range(count)
        ]

    @classmethod
    def snow(cls, width: int, height: int, dice: random.Random) -> "_Falling":
        unit = min(width, height) / 100
        stamps = [_fading(_dot(unit * size), (250, 252, 255)) for size in (0.35, 0.55, 0.85)]
        return cls(width, height, dice, stamps, 150, 0.16, 0.03)

    @classmethod
    def rain(cls, width: int, height: int, dice: random.Random) -> "_Falling":
        unit = min(width, height) / 100
        mask = Image.new("L", (max(4, int(unit * 1.5)), int(unit * 6)), 0)
        ends = [(mask.width * 0.75, 0), (mask.width * 0.25, mask.height)]
        ImageDraw.Draw(mask).line(ends, fill=140, width=max(1, int(unit * 0.2)))
        return cls(width, height, dice, [_fading(mask, (222, 232, 246))], 130, 1.3, 0.0)

    @classmethod
    def petals(cls, width: int, height: int, dice: random.Random) -> "_Falling":
        unit = min(width, height) / 100
        stamps: list[list[Stamp]] = []
        for angle in (20, 75, 140):
            mask = Image.new("L", (int(unit * 4), int(unit * 4)), 0)
            middle = unit * 2
            ImageDraw.Draw(mask).ellipse(
                (middle - unit, middle - unit * 0.5, middle + unit, middle + unit * 0.5), fill=235
            )
            stamps.append(_fading(mask.rotate(angle, Image.Resampling.BICUBIC), (248, 196, 210)))
        return cls(width, height, dice, stamps, 26, 0.09, 0.09)

    def draw(self, frame: Frame, at_s: float, share: float) -> None:
        level = min(3, int(at_s * 8))  # fades in during the first half second
        if share == 0:
            return
        for x, y, speed, phase, size in self.parts:
            down = (y + at_s * speed) % 1.08 - 0.04
            aside = x * self.width + math.sin(at_s * 1.3 + phase) * self.sway
            frame.press(self.stamps[size][level], aside, down * self.height)


def _dot(radius: float) -> Image.Image:
    side = int(radius * 4) // 2 * 2 + 4
    mask = Image.new("L", (side * 2, side * 2), 0)
    ImageDraw.Draw(mask).ellipse((side - radius * 2, side - radius * 2, side + radius * 2, side + radius * 2), fill=235)
    return mask.filter(ImageFilter.GaussianBlur(radius * 0.4)).resize((side, side), Image.Resampling.BOX)


def _fading(mask: Image.Image, colour: tuple[int, int, int]) -> list[Stamp]:
    return [stamp(mask.point([value * level // 4 for value in range(256)]), colour) for level in (1, 2, 3, 4)]
