"""The address of a call, made of the base URL that an operator typed and a vendor's path.

People type the bare host, the host with a version, a whole endpoint out of an example, slashes too many, a region in the
host, a query. `join` forgives all of it:

    https://api.x.com · …/v1 · …/v1/ · …//v1 · …/v1/v1 · …/v1/chat/completions   + /v1/models  →  https://api.x.com/v1/models
    https://relay.x.com/api/v3 · …/api/v3/chat/completions                       + /v1/models  →  …/api/v3/models
    https://x.com/openai/deployments/mine/chat/completions?api-version=1         + /v1/models  →  …?api-version=1
"""

import re
from collections.abc import Iterable
from functools import lru_cache

_VERSION = re.compile(r"v\d+[a-z0-9]*")
_ENDPOINT = re.compile(
    r"/(?:chat/completions|completions|responses|embeddings|moderations|rerank|messages|models|chat|embed"
    r"|models/[^/]+:\w+|model/[^/]+/(?:converse|converse-stream|invoke|invoke-with-response-stream))$"
)
"""What people paste behind a base URL, because an example has it."""


def join(base_url: str, path: str, known: Iterable[str] = ()) -> str:
    """The address of `path` (which begins with a slash and may have a query) below `base_url`.

    `known`: other paths of the vendor, so that whatever belongs to one of them is not taken for a folder of the operator's.
    """
    return _join(base_url, path, tuple(known))


@lru_cache(maxsize=4096)
def _join(base_url: str, path: str, known: tuple[str, ...]) -> str:
    address, _, query = base_url.strip().partition("?")
    scheme, _, rest = address.partition("://")
    host, *folders = [piece for piece in rest.split("/") if piece] or [""]
    bare, _, own_query = path.partition("?")
    wanted = bare.split("/")[1:]
    root, is_versioned = _root(folders, [wanted, *(one.partition("?")[0].split("/")[1:] for one in known)])
    if is_versioned:
        wanted = _after_version(wanted)
    joined = f"{scheme}://{'/'.join([host, *root, *wanted])}"
    queries = [one for one in (own_query, _without(query, own_query)) if one]
    return f"{joined}?{'&'.join(queries)}" if queries else joined


def _root(folders: list[str], paths: list[list[str]]) -> tuple[list[str], bool]:
    """The operator's own folders, and whether they say the version (or that there is none) in the vendor's stead."""
    taken = max((_overlap(folders, path) for path in paths), default=0)
    if taken:
        root = folders[: len(folders) - taken]
        while root and _VERSION.fullmatch(root[-1]) and root[-1] in folders[len(root) :]:
            root = root[:-1]
        return root, False
    plain = _ENDPOINT.sub("", "/" + "/".join(folders))
    root = [piece for piece in plain.split("/") if piece]
    was_whole = len(root) < len(folders)
    ends = root[:-1] if root and root[-1] == "openai" else root
    return root, was_whole or bool(ends and _VERSION.fullmatch(ends[-1]))


def _overlap(folders: list[str], path: list[str]) -> int:
    """So many segments at the end of `folders` are the beginning of `path`."""
    for size in range(min(len(folders), len(path)), 0, -1):
        if all(_is_same(mine, theirs) for mine, theirs in zip(folders[-size:], path, strict=False)):
            return size
    return 0


def _is_same(mine: str, theirs: str) -> bool:
    """`{model}` of a path stands for whatever model was pasted."""
    if "{" not in theirs:
        return mine == theirs
    before, _, after = re.sub(r"\{\w+\}", "\0", theirs).partition("\0")
    return len(mine) > len(before) + len(after) and mine.startswith(before) and mine.endswith(after)


def _after_version(path: list[str]) -> list[str]:
    for number, piece in enumerate(path):
        if _VERSION.fullmatch(piece):
            return path[number + 1 :]
    return path


def _without(query: str, own: str) -> str:
    """What the operator's query adds to the path's own."""
    names = {pair.partition("=")[0] for pair in own.split("&")}
    return "&".join(pair for pair in query.split("&") if pair and pair.partition("=")[0] not in names)
