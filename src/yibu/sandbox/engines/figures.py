"""Small figures, drawn from shapes: bird, cat, boat, house, pine, flower, balloon. Sizes in pixels."""

import math

from PIL import ImageDraw

Colour = tuple[int, int, int]
Draw = ImageDraw.ImageDraw


def bird(draw: Draw, x: float, y: float, size: float, wing: float, colour: Colour | int) -> None:
    """A bird flying to the right. `size`: span. `wing`: 1 up, -1 down; at 0 the wings are level."""
    half = size / 2
    lift = -wing * half * 0.8
    body = size * 0.16
    for side in (-1, 1):
        reach = half * (0.95 if side < 0 else 0.8)
        tip = (x + side * reach - size * 0.12, y + lift * (1.0 if side < 0 else 0.85))
        elbow = (x + side * reach * 0.5, y + lift * 0.72 - size * 0.07)
        under = (x + side * reach * 0.42, y + lift * 0.5 + size * 0.06)
        draw.polygon([(x - body * 0.5, y), elbow, tip, under, (x + body * 0.6, y + size * 0.05)], fill=colour)
    draw.ellipse((x - body * 1.25, y - size * 0.055, x + body * 1.25, y + size * 0.085), fill=colour)
    draw.polygon([(x - body, y), (x - body * 2.3, y - size * 0.06), (x - body * 2.2, y + size * 0.08)], fill=colour)
    head = size * 0.075
    draw.ellipse((x + body - head, y - head * 0.95, x + body + head, y + head * 1.0), fill=colour)
    beak = x + body + head
    draw.polygon(
        [(beak - head * 0.4, y - head * 0.5), (beak + head * 1.2, y + head * 0.1), (beak - head * 0.4, y + head * 0.5)],
        fill=colour,
    )


def cat(draw: Draw, x: float, y: float, size: float, fur: Colour) -> None:
    """A sitting cat seen from the front; `y`: where it sits. `size`: height."""
    light = (min(255, fur[0] + 60), min(255, fur[1] + 55), min(255, fur[2] + 50))
    tail = [(x + size * (0.26 + 0.2 * math.sin(t / 20 * 2.6)), y - size * (0.02 + 0.42 * t / 20)) for t in range(21)]
    draw.line(tail, fill=fur, width=max(2, int(size * 0.075)), joint="curve")
    draw.ellipse((x - size * 0.27, y - size * 0.58, x + size * 0.27, y + size * 0.03), fill=fur)
    draw.ellipse((x - size * 0.13, y - size * 0.5, x + size * 0.13, y - size * 0.1), fill=light)
    for side in (-1, 1):
        ear = [(side * 0.2, -0.82), (side * 0.19, -1.04), (side * 0.03, -0.9)]
        draw.polygon([(x + dx * size, y + dy * size) for dx, dy in ear], fill=fur)
        paw = x + side * size * 0.11
        draw.ellipse((paw - size * 0.09, y - size * 0.07, paw + size * 0.09, y + size * 0.04), fill=light)
    draw.ellipse((x - size * 0.22, y - size * 0.95, x + size * 0.22, y - size * 0.55), fill=fur)
    for side in (-1, 1):
        eye = x + side * size * 0.085
        draw.ellipse((eye - size * 0.04, y - size * 0.8, eye + size * 0.04, y - size * 0.71), fill=(232, 214, 96))
        draw.ellipse((eye - size * 0.014, y - size * 0.8, eye + size * 0.014, y - size * 0.71), fill=(18, 18, 20))
        for tilt in (-0.03, 0.02):
            start = (x + side * size * 0.06, y - size * 0.65)
            draw.line(
                [start, (x + side * size * 0.26, y - size * (0.66 + tilt))], fill=light, width=max(1, int(size * 0.008))
            )
    nose = [(-0.03, -0.69), (0.03, -0.69), (0.0, -0.65)]
    draw.polygon([(x + dx * size, y + dy * size) for dx, dy in nose], fill=(226, 134, 136))


def boat(draw: Draw, x: float, y: float, size: float) -> None:
    """A sailing boat; `y`: the waterline. `size`: length."""
    hull = [(-0.5, -0.12), (0.5, -0.12), (0.34, 0.08), (-0.36, 0.08)]
    draw.polygon([(x + dx * size, y + dy * size) for dx, dy in hull], fill=(120, 62, 44))
    draw.line([(x, y - size * 0.1), (x, y - size * 1.1)], fill=(84, 58, 44), width=max(2, int(size * 0.025)))
    for sail, colour in (
        ([(0.03, -1.08), (0.03, -0.2), (0.42, -0.2)], (250, 246, 236)),
        ([(-0.03, -0.98), (-0.03, -0.2), (-0.32, -0.2)], (230, 222, 208)),
    ):
        draw.polygon([(x + dx * size, y + dy * size) for dx, dy in sail], fill=colour)


def house(draw: Draw, x: float, y: float, size: float, time: str) -> None:
    """A cottage; `y`: the ground. `size`: width. At night and sunset its windows are lit."""
    half = size / 2
    wall, roof = ((214, 196, 170), (150, 70, 58)) if time != "night" else ((78, 76, 88), (58, 40, 48))
    glass = (255, 220, 130) if time in ("night", "sunset") else (150, 190, 214)
    draw.rectangle((x + half * 0.4, y - size * 0.98, x + half * 0.62, y - size * 0.6), fill=roof)
    draw.rectangle((x - half, y - size * 0.55, x + half, y), fill=wall)
    draw.polygon([(x - half * 1.2, y - size * 0.52), (x + half * 1.2, y - size * 0.52), (x, y - size)], fill=roof)
    draw.rectangle((x - size * 0.08, y - size * 0.32, x + size * 0.08, y), fill=(96, 62, 46))
    for side in (-1, 1):
        left = x + side * size * 0.3 - size * 0.09
        draw.rectangle((left, y - size * 0.4, left + size * 0.18, y - size * 0.22), fill=glass)


def pine(draw: Draw, x: float, y: float, size: float, colour: Colour, snowy: bool) -> None:
    """A fir; `y`: its foot. `size`: height."""
    draw.rectangle((x - size * 0.03, y - size * 0.18, x + size * 0.03, y), fill=(84, 60, 46))
    for tier in range(3):
        top, bottom = y - size * (1 - 0.24 * tier), y - size * (0.56 - 0.22 * tier)
        wide = size * (0.16 + 0.075 * tier)
        draw.polygon([(x, top), (x + wide, bottom), (x - wide, bottom)], fill=colour)
        if snowy:
            cut = top + (bottom - top) * 0.45
            draw.polygon([(x, top), (x + wide * 0.45, cut), (x - wide * 0.45, cut)], fill=(244, 247, 251))


def flower(draw: Draw, x: float, y: float, size: float, colour: Colour) -> None:
    """Five petals on a stem; `y`: the middle of the blossom. `size`: its radius."""
    draw.line([(x, y), (x + size * 0.3, y + size * 3)], fill=(64, 118, 62), width=max(1, int(size * 0.25)))
    for petal in range(5):
        angle = petal * math.tau / 5 - math.pi / 2
        px, py, r = x + math.cos(angle) * size * 0.6, y + math.sin(angle) * size * 0.6, size * 0.48
        draw.ellipse((px - r, py - r, px + r, py + r), fill=colour)
    draw.ellipse((x - size * 0.3, y - size * 0.3, x + size * 0.3, y + size * 0.3), fill=(252, 218, 96))


def balloon(draw: Draw, x: float, y: float, size: float, colour: Colour) -> None:
    """A hot-air balloon; (x, y): the middle of the bag. `size`: its radius."""
    pale = (250, 236, 214)
    draw.polygon(
        [(x - size * 0.62, y + size * 0.75), (x + size * 0.62, y + size * 0.75), (x, y + size * 1.45)], fill=colour
    )
    draw.ellipse((x - size, y - size, x + size, y + size), fill=colour)
    for wide in (0.62, 0.24):
        stripe = pale if wide == 0.62 else colour
        draw.ellipse((x - size * wide, y - size, x + size * wide, y + size), fill=stripe)
    draw.rectangle((x - size * 0.17, y + size * 1.42, x + size * 0.17, y + size * 1.7), fill=(112, 78, 52))
