"""Paints a pleasant scene with Pillow: sky, sun or moon, hills, sea, city, and what the prompt names.

The same prompt and size give the same pixels.
"""

import hashlib
import math
import random

from PIL import Image, ImageChops, ImageDraw, ImageFilter

from yibu.sandbox.engines import figures
from yibu.sandbox.engines.subjects import find_subjects

Colour = tuple[int, int, int]

# Sky at the zenith and at the horizon, and the light on the land.
_SKIES: dict[str, tuple[Colour, Colour, Colour]] = {
    "day": ((64, 132, 214), (205, 230, 246), (96, 152, 84)),
    "sunset": ((66, 58, 120), (252, 170, 104), (88, 70, 92)),
    "night": ((8, 12, 38), (44, 62, 112), (24, 38, 52)),
    "snow": ((132, 160, 196), (232, 238, 246), (236, 241, 247)),
}


def paint(prompt: str, width: int, height: int, without: frozenset[str] = frozenset()) -> Image.Image:
    """An RGB picture of exactly `width` x `height`. `without`: subjects left out because something else draws them."""
    scale = 2 if width * height <= 1_500_000 else 1  # drawn twice as large, for smooth edges
    scene = _Scene(prompt, width * scale, height * scale, without)
    return scene.paint().resize((width, height), Image.Resampling.BOX)


class _Scene:
    def __init__(self, prompt: str, width: int, height: int, without: frozenset[str]) -> None:
        self.random = random.Random(hashlib.sha256(prompt.encode()).digest())  # noqa: S311 - the same every time
        self.subjects = find_subjects(prompt)
        self.drawn = self.subjects - without  # the light and the land still know of what is left out
        self.width, self.height = width, height
        self.unit = min(width, height) / 100
        self.time = self.choose_time()
        self.zenith, self.horizon, self.land = _SKIES[self.time]
        if "snow" in self.subjects:
            self.land = mix((236, 241, 247), self.zenith, 0.35 if self.time == "night" else 0.0)
        elif "desert" in self.subjects:
            self.land = mix((222, 178, 112), self.zenith, 0.5 if self.time == "night" else 0.0)
        self.skyline = height * self.random.uniform(0.52, 0.6)
        self.image = Image.new("RGB", (width, height))
        self.draw = ImageDraw.Draw(self.image)

    def choose_time(self) -> str:
        for time in ("night", "sunset", "snow"):
            if time in self.subjects:
                return time
        return self.random.choice(("day", "day", "sunset"))

    def paint(self) -> Image.Image:
        self.sky()
        if "mountain" in self.subjects:
            self.mountains()
        if "city" in self.subjects:
            self.city()
        if "sea" in self.subjects or "boat" in self.subjects:
            self.sea()
        else:
            self.hills()
        if "house" in self.subjects:
            self.house()
        if "forest" in self.subjects:
            self.forest()
        if "flower" in self.subjects:
            self.flowers()
        self.foreground_figures()
        if "snow" in self.drawn:
            self.snowfall()
        if "rain" in self.drawn:
            self.rain()
        return self.image

    def sky(self) -> None:
        fade = Image.linear_gradient("L").resize((self.width, int(self.skyline)), Image.Resampling.BILINEAR)
        self.image.paste(self.horizon, (0, 0, self.width, self.height))
        self.image.paste(
            Image.composite(Image.new("RGB", fade.size, self.horizon), Image.new("RGB", fade.size, self.zenith), fade),
            (0, 0),
        )
        if self.time == "night":
            for _ in range(140):
                x, y = self.random.uniform(0, self.width), self.random.uniform(0, self.skyline * 0.9)
                size = self.unit * self.random.choice((0.12, 0.15, 0.25))
                self.draw.ellipse((x - size, y - size, x + size, y + size), mix(self.zenith, (255, 255, 240), 0.75))
        self.light()
        if self.time != "night":
            self.clouds()

    def light(self) -> None:
        """The sun, or the moon, with a glow around it."""
        colour = {"night": (246, 242, 214), "sunset": (255, 226, 150)}.get(self.time, (255, 250, 222))
        x = self.width * self.random.choice((self.random.uniform(0.18, 0.36), self.random.uniform(0.64, 0.82)))
        y = self.skyline * (0.74 if self.time == "sunset" else self.random.uniform(0.25, 0.42))
        size = self.unit * self.random.uniform(5.5, 7.5)
        self.sun_x = x
        reach = size * 5
        glow = ImageChops.invert(Image.radial_gradient("L")).point(lambda value: max(0, value - 75) * 0.62)
        glow = glow.resize((int(reach * 2), int(reach * 2)), Image.Resampling.BICUBIC)
        self.image.paste(colour, (int(x - reach), int(y - reach)), glow)
        self.draw.ellipse((x - size, y - size, x + size, y + size), colour)

    def clouds(self) -> None:
        small = Image.new("L", (self.width // 4, self.height // 4), 0)
        draw = ImageDraw.Draw(small)
        unit = self.unit / 4
        for _ in range(self.random.randint(3, 5)):
            x = self.random.uniform(0, small.width)
            y = self.random.uniform(0.1, 0.62) * self.skyline / 4
            for _ in range(6):
                cx, cy = x + self.random.uniform(-12, 12) * unit, y + self.random.uniform(-1.5, 1.5) * unit
                wide, high = self.random.uniform(5, 10) * unit, self.random.uniform(1.6, 3.2) * unit
                draw.ellipse((cx - wide, cy - high, cx + wide, cy + high), fill=185)
        mask = small.filter(ImageFilter.GaussianBlur(unit * 1.3)).resize(self.image.size, Image.Resampling.BILINEAR)
        self.image.paste(mix(self.horizon, (255, 255, 255), 0.75), (0, 0), mask)

    def ridge(self, base: float, swell: float, rough: float) -> list[tuple[float, float]]:
        """A rolling line across the picture. `rough` 0 is smooth, 1 jagged."""
        waves = [(self.random.uniform(0.6, 1.6) * 2**n, self.random.uniform(0, 7), 0.55**n) for n in range(6)]
        points: list[tuple[float, float]] = []
        for step in range(161):
            t = step / 160
            value = 0.0
            for frequency, phase, size in waves:
                turn = frequency * t * 4 + phase
                sharp = 2 * abs((turn / math.pi) % 2 - 1) - 1
                value += size * ((1 - rough) * math.sin(turn) * (1 if size > 0.2 else 0) + rough * sharp)
            points.append((t * self.width, base - swell * value))
        return points

    def fill_below(self, line: list[tuple[float, float]], colour: Colour) -> None:
        self.draw.polygon([*line, (self.width, self.height), (0, self.height)], fill=colour)

    def mountains(self) -> None:
        rock = mix((92, 104, 132), self.zenith, 0.35)
        for distance in (0.55, 0.2):
            line = self.ridge(self.skyline * (0.72 + 0.16 * (0.55 - distance)), self.unit * 11, 0.92)
            colour = mix(rock, self.horizon, distance)
            self.fill_below(line, colour)
            if "snow" in self.subjects or distance > 0.3:
                snowline = min(y for _, y in line) + self.unit * 14
                low = [(x, min(y + self.unit * (5 + i % 3), snowline)) for i, (x, y) in enumerate(line)]
                self.caps(line, low, mix(colour, (255, 255, 255), 0.75))

    def caps(self, line: list[tuple[float, float]], low: list[tuple[float, float]], colour: Colour) -> None:
        for (x1, y1), (x2, y2), (_, l1), (_, l2) in zip(line, line[1:], low, low[1:], strict=False):
            if y1 < l1 or y2 < l2:
                self.draw.polygon([(x1, y1), (x2, y2), (x2, max(y2, l2)), (x1, max(y1, l1))], fill=colour)

    def hills(self) -> None:
        for layer in range(3):
            base = self.skyline + (self.height - self.skyline) * (0.06 + 0.27 * layer)
            haze = (0.45, 0.2, 0.0)[layer]
            shade = mix(self.land, self.zenith if "snow" in self.subjects else (0, 0, 0), 0.1 * layer)
            self.fill_below(self.ridge(base, self.unit * (5.5 - layer), 0.0), mix(shade, self.horizon, haze))

    def sea(self) -> None:
        deep, shallow = mix(self.zenith, (10, 70, 110), 0.5), mix(self.horizon, (40, 120, 160), 0.4)
        top = int(self.skyline)
        fade = Image.linear_gradient("L").resize((self.width, self.height - top), Image.Resampling.BILINEAR)
        self.image.paste(
            Image.composite(Image.new("RGB", fade.size, deep), Image.new("RGB", fade.size, shallow), fade), (0, top)
        )
        light = mix(self.horizon, (255, 255, 255), 0.55)
        for number in range(150):
            depth = (number / 150) ** 1.6
            y = top + depth * (self.height - top)
            spread = self.width * (0.05 + 0.2 * depth) if number % 2 else self.width
            x = self.random.gauss(self.sun_x, spread * 0.5) if number % 2 else self.random.uniform(0, self.width)
            wide = self.unit * (0.8 + 6 * depth) * self.random.uniform(0.5, 1.2)
            colour = mix(mix(shallow, deep, depth), light, 0.5 if number % 2 else 0.14)
            self.draw.ellipse((x - wide, y, x + wide, y + self.unit * (0.15 + 0.45 * depth)), fill=colour)

    def city(self) -> None:
        for distance in (0.5, 0.15):
            x = -self.unit * 2
            colour = mix(mix((52, 58, 78), self.zenith, 0.2), self.horizon, distance)
            window = (255, 222, 140) if self.time != "day" else mix(colour, (255, 255, 255), 0.35)
            while x < self.width:
                wide = self.unit * self.random.uniform(5, 11)
                high = self.unit * self.random.uniform(9, 34) * (1.15 - 0.6 * distance)
                top = self.skyline - high
                self.draw.rectangle((x, top, x + wide, self.height), fill=colour)
                if distance < 0.3:
                    self.windows(x, top, wide, window)
                x += wide + self.unit * self.random.uniform(0, 1.2)

    def windows(self, x: float, top: float, wide: float, colour: Colour) -> None:
        step = self.unit * 1.7
        for row in range(int((self.skyline + self.unit * 3 - top) / step)):
            for column in range(int(wide / step) - 1):
                if self.random.random() < 0.5:
                    left, up = x + step * (column + 0.8), top + step * (row + 0.7)
                    self.draw.rectangle((left, up, left + step * 0.42, up + step * 0.55), fill=colour)

    def forest(self) -> None:
        snowy = "snow" in self.subjects
        for number in range(34):
            depth = number / 34
            x = self.random.uniform(-0.02, 1.02) * self.width
            y = self.skyline + (self.height - self.skyline) * (0.12 + 0.6 * depth)
            green = mix((36, 92, 58), self.zenith if self.time != "day" else (18, 60, 40), 0.4)
            size = self.unit * (5 + 13 * depth)
            figures.pine(self.draw, x, y, size, mix(green, self.horizon, 0.4 * (1 - depth)), snowy)

    def flowers(self) -> None:
        colours = ((236, 92, 118), (250, 196, 72), (246, 240, 250), (180, 118, 214))
        for number in range(110):
            depth = (number / 110) ** 1.3
            x = self.random.uniform(0, self.width)
            y = self.skyline + (self.height - self.skyline) * (0.42 + 0.55 * depth)
            figures.flower(self.draw, x, y, self.unit * (0.5 + 1.6 * depth), self.random.choice(colours))

    def house(self) -> None:
        figures.house(
            self.draw, self.width * self.random.uniform(0.3, 0.6), self.height * 0.74, self.unit * 13, self.time
        )

    def foreground_figures(self) -> None:
        if "boat" in self.drawn:
            x = self.width * self.random.uniform(0.3, 0.7)
            figures.boat(self.draw, x, self.skyline + (self.height - self.skyline) * 0.3, self.unit * 10)
        if "balloon" in self.drawn:
            for size in (9.0, 5.0):
                x, y = self.width * self.random.uniform(0.15, 0.85), self.skyline * self.random.uniform(0.25, 0.6)
                figures.balloon(self.draw, x, y, self.unit * size, self.random.choice(((214, 72, 66), (240, 160, 50))))
        if "cat" in self.drawn:
            fur = mix((58, 48, 46), (214, 140, 72), self.random.choice((0.0, 0.9)))
            figures.cat(self.draw, self.width * self.random.uniform(0.4, 0.6), self.height * 0.93, self.unit * 26, fur)
        if "bird" in self.drawn:
            dark = mix((30, 32, 44), self.zenith, 0.2)
            for _ in range(5):
                x, y = self.width * self.random.uniform(0.15, 0.85), self.skyline * self.random.uniform(0.2, 0.7)
                figures.bird(self.draw, x, y, self.unit * self.random.uniform(4, 8), self.random.uniform(-0.5, 1), dark)

    def snowfall(self) -> None:
        for _ in range(160):
            x, y = self.random.uniform(0, self.width), self.random.uniform(0, self.height)
            size = self.unit * self.random.uniform(0.2, 0.6)
            self.draw.ellipse((x - size, y - size, x + size, y + size), fill=(252, 253, 255))

    def rain(self) -> None:
        for _ in range(220):
            x, y = self.random.uniform(0, self.width), self.random.uniform(0, self.height)
            end = (x - self.unit * 0.8, y + self.unit * 4)
            self.draw.line(
                [(x, y), end], fill=mix(self.horizon, (255, 255, 255), 0.35), width=max(1, int(self.unit * 0.15))
            )


def mix(one: Colour, other: Colour, share: float) -> Colour:
    """`share` 0 is `one`, 1 is `other`."""
    return tuple(round(a + (b - a) * share) for a, b in zip(one, other, strict=True))  # type: ignore[return-value]


def snowed(picture: Image.Image) -> Image.Image:
    """The same picture in winter: paler, bluer, with snow lying on its lower half."""
    grey = picture.convert("L").convert("RGB")
    pale = Image.blend(Image.blend(picture, grey, 0.55), Image.new("RGB", picture.size, (226, 236, 250)), 0.3)
    lying = (
        Image.linear_gradient("L")
        .resize(picture.size, Image.Resampling.BILINEAR)
        .point(lambda v: max(0, v - 110) * 1.25)
    )
    white = Image.blend(Image.new("RGB", picture.size, (244, 248, 253)), grey, 0.22)
    return Image.composite(white, pale, lying)


def dimmed(picture: Image.Image) -> Image.Image:
    """The same picture by night: dark and blue."""
    return Image.blend(picture, Image.new("RGB", picture.size, (6, 10, 44)), 0.62)


def warmed(picture: Image.Image) -> Image.Image:
    """The same picture at sunset: warm from the horizon upwards."""
    return Image.blend(picture, Image.new("RGB", picture.size, (246, 128, 58)), 0.34)
