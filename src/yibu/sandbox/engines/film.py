"""Makes a film: Pillow moves the picture and what the prompt names, ffmpeg encodes H.264 and AAC as a separate program.

The camera slowly moves in on the picture; the first frame is the picture itself. The same order gives the same frames.
ffmpeg runs with low priority on one thread and ends with this process, because its input then ends.
"""

import hashlib
import os
import random
import subprocess
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from PIL import Image

from yibu.sandbox.engines.frame import Frame
from yibu.sandbox.engines.motion import MOVING, Motion, motions
from yibu.sandbox.engines.picture import dimmed, paint, snowed, warmed
from yibu.sandbox.engines.subjects import find_subjects

FPS = 24
ZOOM = 0.07  # how much closer the camera is at the end
NICE = 10


class EncoderMissing(Exception):
    """No ffmpeg: the package imageio-ffmpeg is not installed."""


class FilmFailed(Exception):
    """ffmpeg ended with an error; the message is its last line."""


class Stopped(Exception):
    """The work was given up because `stopped` said so."""


@dataclass(frozen=True, slots=True)
class Order:
    """`prompt`: all that was asked for, of earlier films too. `width`, `height`: even numbers of pixels."""

    prompt: str
    seconds: int
    width: int
    height: int


def find_encoder() -> str:
    """The path of ffmpeg. Raises `EncoderMissing`."""
    try:
        import imageio_ffmpeg  # type: ignore[import-untyped]

        return str(imageio_ffmpeg.get_ffmpeg_exe())
    except (ImportError, RuntimeError) as exc:
        raise EncoderMissing("no film encoder installed") from exc


def opening(order: Order, given: Image.Image | None) -> Image.Image:
    """The picture that the film begins with: the given one, else a painted scene."""
    if given is not None:
        return given.convert("RGB")
    return paint(order.prompt, order.width, order.height, without=MOVING)


def changed(earlier: Image.Image, change: str) -> Image.Image:
    """An earlier film's picture after a change such as 换成雪地, "at night" or "make it a sunset"."""
    subjects = find_subjects(change)
    picture = earlier.convert("RGB")
    if "snow" in subjects:
        picture = snowed(picture)
    if "night" in subjects:
        picture = dimmed(picture)
    elif "sunset" in subjects:
        picture = warmed(picture)
    return picture


def render(
    order: Order,
    picture: Image.Image,
    target: Path,
    progress: Callable[[float], None],
    stopped: Callable[[], bool],
) -> None:
    """Write the film to `target` (MP4, index first). Blocks for about a quarter of a second per second of 720p film.

    `progress`: is told the share that ffmpeg has encoded, 0 to 1. Raises `EncoderMissing`, `FilmFailed`, `Stopped`.
    """
    encoder = find_encoder()
    dice = random.Random(_seed(order))  # noqa: S311 - for looks, the same every time
    moving = motions(find_subjects(order.prompt), picture, dice)
    camera = _Camera(picture, dice)
    command = [encoder, *_arguments(order, target)]
    with subprocess.Popen(  # noqa: S603 - no word of the caller's is in the command
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as ffmpeg:
        _lower_priority(ffmpeg.pid)
        assert ffmpeg.stdin
        assert ffmpeg.stdout
        assert ffmpeg.stderr
        listener = threading.Thread(target=_listen, args=(ffmpeg.stdout, order.seconds, progress), daemon=True)
        listener.start()
        try:
            _feed(ffmpeg.stdin, order, camera, moving, stopped)
        except BrokenPipeError:
            pass  # ffmpeg has ended; its exit code and last words tell why
        except Stopped:
            ffmpeg.kill()
            raise
        words = ffmpeg.stderr.read().decode("utf-8", "replace").strip()
        listener.join()
    if ffmpeg.returncode != 0:
        raise FilmFailed(words.splitlines()[-1] if words else f"ffmpeg ended with {ffmpeg.returncode}")


def thumbnail(picture: Image.Image, target: Path) -> None:
    """Write a webp of at most 480 pixels."""
    small = picture.copy()
    small.thumbnail((480, 480), Image.Resampling.BICUBIC)
    small.save(target, "WEBP", quality=80, method=2)


class _Camera:
    """Moves in on the picture, towards a point chosen by the dice, with a soft start and end."""

    def __init__(self, picture: Image.Image, dice: random.Random) -> None:
        self.frame = Frame.of(picture)
        self.aim = (dice.uniform(0.2, 0.8), dice.uniform(0.25, 0.6))

    def at(self, share: float) -> Frame:
        if share == 0:
            return self.frame.copy()
        eased = share * share * (3 - 2 * share)
        width, height = self.frame.y.size
        seen = 1 / (1 + ZOOM * eased)
        left, top = width * (1 - seen) * self.aim[0], height * (1 - seen) * self.aim[1]
        return self.frame.cropped(left, top, width * seen, height * seen)


def _feed(pipe: IO[bytes], order: Order, camera: _Camera, moving: list[Motion], stopped: Callable[[], bool]) -> None:
    count = order.seconds * FPS
    for number in range(count):
        if stopped():
            raise Stopped
        share = number / (count - 1)
        frame = camera.at(share)
        for motion in moving:
            motion.draw(frame, number / FPS, share)
        pipe.write(frame.tobytes())
        time.sleep(0)
    pipe.close()


def _arguments(order: Order, target: Path) -> list[str]:
    return [
        *("-hide_banner", "-nostats", "-loglevel", "error", "-y", "-progress", "pipe:1", "-stats_period", "0.1"),
        *(
            "-f",
            "rawvideo",
            "-pix_fmt",
            "yuv420p",
            "-s",
            f"{order.width}x{order.height}",
            "-r",
            str(FPS),
            "-i",
            "pipe:0",
        ),
        *("-f", "lavfi", "-i", f"aevalsrc='{_tone(order)}':s=44100:d={order.seconds}"),
        *("-c:v", "libx264", "-preset", "superfast", "-crf", "24", "-threads", "1", "-bf", "0"),
        *("-x264-params", "colormatrix=smpte170m:colorprim=bt709:transfer=bt709", "-pix_fmt", "yuv420p"),
        *("-c:a", "aac", "-b:a", "64k", "-ac", "1", "-t", str(order.seconds), "-map_metadata", "-1"),
        *("-fflags", "+bitexact", "-flags:v", "+bitexact", "-flags:a", "+bitexact"),
        *("-movflags", "+faststart", "-f", "mp4", str(target)),
    ]


def _tone(order: Order) -> str:
    """A soft chord that swells and fades, its root chosen by the prompt."""
    root = 196.0 * 2 ** (_seed(order)[0] % 8 / 12)
    chord = "+".join(f"sin({2 * 3.14159265 * root * ratio:.4f}*t)" for ratio in (1, 1.25, 1.5))
    return f"0.05*({chord})*(0.7+0.3*sin(1.9*t))*min(1,min(t,{order.seconds}-t)*2)"


def _listen(pipe: IO[bytes], seconds: int, progress: Callable[[float], None]) -> None:
    for line in pipe:
        name, _, value = line.decode("ascii", "replace").strip().partition("=")
        if name == "out_time_us" and value.isdigit():
            progress(min(1.0, int(value) / 1_000_000 / seconds))


def _lower_priority(pid: int) -> None:
    try:
        os.setpriority(os.PRIO_PROCESS, pid, NICE)
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), NICE)  # on Linux, of this thread alone
    except (OSError, AttributeError):
        pass  # not allowed or not known here: the film then runs at normal priority


def _seed(order: Order) -> bytes:
    return hashlib.sha256(f"{order.prompt}|{order.seconds}|{order.width}x{order.height}".encode()).digest()
