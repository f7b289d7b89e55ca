"""Film jobs: files in the data directory, worked on one at a time, so that they survive a restart.

`videos/<id>.json` the job, `.given` the picture sent with it, `.base.png` the picture that the film begins with,
`.mp4` and `.webp` the results. A job that was not finished when the sandbox ended begins again.
"""

import asyncio
import shutil
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import msgspec
from PIL import Image

from yibu.sandbox.behaviours import FATES
from yibu.sandbox.engines import film
from yibu.sandbox.engines.look import open_picture

ASSETS_LIVE_S = 86_400
TICK_S = 0.05


class Job(msgspec.Struct, omit_defaults=False):
    """`prompt`: as sent. `story`: with the prompts of the films it was remixed from. `created`: seconds since 1970.

    `key`: the caller's own id of the request, for finding the job again; empty when none was sent.
    """

    id: str
    model: str
    prompt: str
    story: str
    seconds: int
    size: str
    created: float
    key: str = ""
    status: Literal["queued", "in_progress", "completed", "failed"] = "queued"
    progress: int = 0
    completed_at: int | None = None
    remixed_from: str | None = None
    error: tuple[str, str] | None = None

    @property
    def order(self) -> film.Order:
        width, height = map(int, self.size.split("x"))
        return film.Order(self.story, self.seconds, width, height)


@dataclass(slots=True)
class _Work:
    task: asyncio.Task[None]
    stop: threading.Event = field(default_factory=threading.Event)


class Jobs:
    """The store and its one worker. `start` needs a running event loop."""

    def __init__(self, data_dir: Path, report: Callable[[str], None]) -> None:
        self._folder = data_dir / "videos"
        self._report = report
        self._jobs: dict[str, Job] = {}
        self._work: dict[str, _Work] = {}
        self._encoder = asyncio.Semaphore(1)

    def start(self) -> None:
        """Read the jobs from the disk and go on with the unfinished ones."""
        self._folder.mkdir(parents=True, exist_ok=True)
        try:
            film.find_encoder()
            self._report("sandbox film: ffmpeg, H.264 and AAC")
        except film.EncoderMissing as exc:
            self._report(f"sandbox film: every job fails, because {exc}")
        for file in sorted(self._folder.glob("*.json")):
            job = msgspec.json.decode(file.read_bytes(), type=Job)
            self._jobs[job.id] = job
        for job in self.all():
            if job.status in ("queued", "in_progress"):
                self._begin(job)

    async def stop(self) -> None:
        """Give up what is running; it begins again at the next start."""
        tasks = [work.task for work in self._work.values()]
        for work in self._work.values():
            work.stop.set()
            work.task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def all(self) -> list[Job]:
        """All jobs, oldest first."""
        return sorted(self._jobs.values(), key=lambda job: (job.created, job.id))

    def get(self, job_id: str) -> Job | None:
        """A job by its id."""
        return self._jobs.get(job_id)

    def find(self, key: str) -> Job | None:
        """The job that was created with the caller's own id `key`."""
        return next((job for job in self._jobs.values() if job.key == key), None) if key else None

    def add(self, job: Job, picture: bytes | None = None) -> None:
        """Store the job and queue it. `picture`: the encoded picture that the film shall begin with."""
        if picture is not None:
            self._path(job, "given").write_bytes(picture)
        self._jobs[job.id] = job
        self._save(job)
        self._begin(job)

    def add_remix(self, job: Job, earlier: Job) -> None:
        """Store and queue a job that changes an earlier, completed one."""
        shutil.copyfile(self._path(earlier, "base.png"), self._path(job, "given"))
        self.add(job)

    async def delete(self, job: Job) -> None:
        """Stop the job and remove all its files."""
        if work := self._work.pop(job.id, None):
            work.stop.set()
            work.task.cancel()
            await asyncio.gather(work.task, return_exceptions=True)
        self._jobs.pop(job.id, None)
        for file in self._folder.glob(f"{job.id}.*"):
            file.unlink(missing_ok=True)

    def read(self, job: Job, variant: Literal["mp4", "webp"]) -> bytes:
        """The bytes of a completed job's film or thumbnail."""
        return self._path(job, variant).read_bytes()

    def _begin(self, job: Job) -> None:
        job.status, job.progress = "queued", 0
        stop = threading.Event()
        self._work[job.id] = _Work(asyncio.create_task(self._run(job, stop)), stop)

    async def _run(self, job: Job, stop: threading.Event) -> None:
        try:
            await self._fulfil(job, stop)
            job.status, job.progress = "completed", 100
        except (film.EncoderMissing, film.FilmFailed, OSError) as exc:
            job.status, job.error = "failed", ("video_generation_failed", str(exc))
        except _Fated as fated:
            job.status, job.error = "failed", fated.error
        except film.Stopped:
            return
        job.completed_at = int(time.time()) if job.status == "completed" else None
        self._work.pop(job.id, None)
        self._save(job)

    async def _fulfil(self, job: Job, stop: threading.Event) -> None:
        fate = FATES[job.model]
        done = 0  # percent that the waiting before the film takes
        if fate.slower_s or fate.error:
            await asyncio.sleep(0.2)
            job.status = "in_progress"
            done = 60 if fate.slower_s else 20
            steps = max(4, int(fate.slower_s / TICK_S))
            for step in range(steps):
                await asyncio.sleep(TICK_S)
                job.progress = done * (step + 1) // steps
        if fate.error:
            raise _Fated(fate.error)
        async with self._encoder:
            job.status = "in_progress"

            def progress(share: float) -> None:
                job.progress = max(job.progress, min(99, done + int((100 - done) * share)))

            making = asyncio.create_task(asyncio.to_thread(self._make, job, progress, stop.is_set))
            try:
                await asyncio.shield(making)
            except asyncio.CancelledError:
                stop.set()
                with suppress(Exception):
                    await making  # the thread sees `stop` at the next frame and frees the encoder
                raise

    def _make(self, job: Job, progress: Callable[[float], None], stopped: Callable[[], bool]) -> None:
        given = self._path(job, "given")
        picture = film.opening(job.order, self._given(job, given) if given.exists() else None)
        picture.save(self._path(job, "base.png"), compress_level=1)
        film.thumbnail(picture, self._path(job, "webp"))
        film.render(job.order, picture, self._path(job, "mp4"), progress, stopped)

    def _given(self, job: Job, file: Path) -> Image.Image:
        picture = open_picture(file.read_bytes())
        return film.changed(picture, job.prompt) if job.remixed_from else picture

    def _save(self, job: Job) -> None:
        target = self._path(job, "json")
        fresh = target.with_suffix(".new")
        fresh.write_bytes(msgspec.json.encode(job))
        fresh.replace(target)

    def _path(self, job: Job, ending: str) -> Path:
        return self._folder / f"{job.id}.{ending}"


class _Fated(Exception):
    def __init__(self, error: tuple[str, str]) -> None:
        super().__init__(error[1])
        self.error = error
