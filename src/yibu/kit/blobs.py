"""Content by id: pictures, sounds and films that outlive the call that made them.

`Blobs` keeps them in a directory. Its methods are what a store in S3 would have, too: ids, bytes and ranges, no paths.
"""

import asyncio
import contextlib
import errno
import os
import re
import secrets
import time
from collections.abc import AsyncIterable, AsyncIterator
from pathlib import Path
from typing import BinaryIO

PIECE_BYTES = 256 * 1024
_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{3,127}(\.[A-Za-z0-9]{1,8})?")
_DRAFT = re.compile(rf"\.{_ID.pattern}\.[0-9a-f]{{16}}")
_FULL = frozenset((errno.ENOSPC, errno.EDQUOT))


class BlobsFailed(Exception):
    """Something is wrong with a blob."""


class WrongId(BlobsFailed):
    """An id has 4 to 128 letters, digits, `_` and `-`, and perhaps an ending such as `.png`."""


class BlobAbsent(BlobsFailed):
    """There is no blob with this id."""


class BlobTooLarge(BlobsFailed):
    """The content has more bytes than allowed; nothing was kept."""


class BlobsFull(BlobsFailed):
    """The disk is full, or the operator's quota is used up; nothing was kept."""


class Blobs:
    """Blobs in a directory. All file work happens in threads; nothing here blocks the event loop."""

    def __init__(self, root: Path) -> None:
        """`root`: made when the first blob is written."""
        self._root = root

    async def put(self, id: str, data: bytes | AsyncIterable[bytes], max_bytes: int) -> int:
        """Keeps `data` under `id` and returns its size in bytes; replaces what was there.

        Readers see the old content or the new one, never a part, also when the machine goes down meanwhile. Raises
        `WrongId`, `BlobTooLarge`, `BlobsFull`, and whatever reading `data` raises; in all cases nothing is kept.
        """
        path = self._path(id)
        draft = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
        pieces = _once(data) if isinstance(data, bytes) else data
        size = 0
        try:
            file = await asyncio.to_thread(_create, draft)
            try:
                async for piece in pieces:
                    size += len(piece)
                    if size > max_bytes:
                        raise BlobTooLarge(f"the content has more than {max_bytes} bytes")
                    await asyncio.to_thread(_write, file, piece)
                await asyncio.to_thread(_publish, file, draft, path)
            except BaseException:
                # Also when the task is cancelled; a thread that is still writing writes to a file without a name.
                await asyncio.to_thread(_discard, file, draft)
                raise
        except OSError as exc:
            if exc.errno in _FULL:
                raise BlobsFull("there is no room left for this content") from exc
            raise
        return size

    def open(self, id: str) -> AsyncIterator[bytes]:
        """The content, in pieces of at most 256 KiB. Raises `WrongId`, `BlobAbsent` at the first piece."""
        return self.read_range(id, 0, None)

    async def read_range(self, id: str, start: int, end: int | None) -> AsyncIterator[bytes]:
        """The bytes from `start` up to, not including, `end` (None: to the last one), in pieces of at most 256 KiB.

        What lies behind the last byte is left out, so a range may give nothing. Raises `WrongId`, `BlobAbsent`.
        """
        path = self._path(id)
        try:
            file = await asyncio.to_thread(_open_at, path, start)
        except FileNotFoundError as exc:
            raise BlobAbsent(f"there is no blob {id}") from exc
        try:
            at = start
            while end is None or at < end:
                wanted = PIECE_BYTES if end is None else min(PIECE_BYTES, end - at)
                piece = await asyncio.to_thread(file.read, wanted)
                if not piece:
                    return
                at += len(piece)
                yield piece
        finally:
            file.close()

    async def size(self, id: str) -> int:
        """Number of bytes. Raises `WrongId`, `BlobAbsent`."""
        try:
            return (await asyncio.to_thread(self._path(id).stat)).st_size
        except FileNotFoundError as exc:
            raise BlobAbsent(f"there is no blob {id}") from exc

    async def delete(self, id: str) -> bool:
        """Forgets a blob; false when there was none. Who is reading it reads on. Raises `WrongId`."""
        try:
            await asyncio.to_thread(self._path(id).unlink)
        except FileNotFoundError:
            return False
        return True

    async def aged(self, age_s: float) -> AsyncIterator[list[str]]:
        """The ids of all blobs that were put longer ago than `age_s`, in lists of a few hundred."""
        for shard in await asyncio.to_thread(_entries, self._root):
            paths = await asyncio.to_thread(_aged, shard, age_s)
            if ids := [path.name for path in paths if _ID.fullmatch(path.name)]:
                yield ids

    async def discard_drafts(self, age_s: float) -> int:
        """Deletes what a process that was killed had begun to put, and touched longer ago than `age_s`; gives its number."""
        count = 0
        for shard in await asyncio.to_thread(_entries, self._root):
            for path in await asyncio.to_thread(_aged, shard, age_s):
                if _DRAFT.fullmatch(path.name):
                    await asyncio.to_thread(path.unlink, missing_ok=True)
                    count += 1
        return count

    def _path(self, id: str) -> Path:
        if not _ID.fullmatch(id):
            raise WrongId(WrongId.__doc__)
        # The end of an id is where ours are random; 256 to 4096 directories keep each one short.
        shard = id.partition(".")[0][-2:].lower()
        return self._root / shard / id


async def _once(data: bytes) -> AsyncIterator[bytes]:
    yield data


def _create(draft: Path) -> BinaryIO:
    draft.parent.mkdir(parents=True, exist_ok=True)
    return open(draft, "xb", buffering=0, opener=_open_private)


def _open_private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


def _write(file: BinaryIO, piece: bytes) -> None:
    # A raw file may take less than it was given, on a disk that is nearly full for one.
    left = memoryview(piece)
    while left:
        left = left[file.write(left) :]


def _publish(file: BinaryIO, draft: Path, path: Path) -> None:
    os.fsync(file.fileno())
    file.close()
    draft.replace(path)
    directory = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(directory)
    finally:
        os.close(directory)


def _discard(file: BinaryIO, draft: Path) -> None:
    file.close()
    draft.unlink(missing_ok=True)


def _entries(folder: Path) -> list[Path]:
    """What is in a folder; nothing when it is not there."""
    try:
        return list(folder.iterdir())
    except (FileNotFoundError, NotADirectoryError):
        return []


def _aged(shard: Path, age_s: float) -> list[Path]:
    before = time.time() - age_s
    aged = []
    for path in _entries(shard):
        with contextlib.suppress(FileNotFoundError):
            if path.stat().st_mtime < before:
                aged.append(path)
    return aged


def _open_at(path: Path, start: int) -> BinaryIO:
    file = open(path, "rb", buffering=0)  # noqa: SIM115 (the reader closes it)
    file.seek(start)
    return file
