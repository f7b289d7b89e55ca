"""`python -m compat.matrix [--client NAME] [--upstream NAME]`: every client against every upstream.

Those that chat come first. A whole run is written into docs/compatibility.md and its Chinese twin.
"""

import argparse
import tempfile
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules

import compat.matrix
from compat.matrix._report import Results, report
from compat.matrix.client import Client
from compat.matrix.feature import CHAT, Outcome
from compat.page import write
from compat.stand import OTHERS, UPSTREAMS, stand

MODELS = tuple(
    f"sandbox/{name}" for name in ("rules", "mirror", "think", "meters", "filtered", "busy-429", "error-mid-stream")
)


def clients() -> dict[str, Client]:
    """By the name of the file."""
    found = {}
    for module in iter_modules(compat.matrix.__path__):
        made = getattr(import_module(f"compat.matrix.{module.name}"), "CLIENT", None) if module.name[0] != "_" else None
        if made is not None:
            found[module.name] = made
    return dict(sorted(found.items(), key=lambda item: item[1].table is not CHAT))


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m compat.matrix", description=__doc__)
    parser.add_argument("--client", action="append", help="only this one; may be repeated")
    parser.add_argument(
        "--upstream", action="append", choices=[*UPSTREAMS, *OTHERS], help="only this one; may be repeated"
    )
    wanted = parser.parse_args()
    upstreams = tuple(wanted.upstream or [*UPSTREAMS, *OTHERS])
    chosen = {name: client for name, client in clients().items() if not wanted.client or name in wanted.client}
    results: Results = {}
    with tempfile.TemporaryDirectory() as folder, stand(Path(folder), MODELS, upstreams) as standing:
        for name, client in chosen.items():
            for upstream in (one for one in client.table.upstreams if one in upstreams):
                results[name, upstream] = client.run(standing, upstream)
                _say(client.title, upstream, results[name, upstream])
    if not (wanted.client or wanted.upstream):
        write("matrix", {language: report(chosen, results, language) for language in ("en", "zh")})
    return int(any(outcome.kind == "failed" for cell in results.values() for outcome in cell.values()))


def _say(title: str, upstream: str, cell: dict[str, Outcome]) -> None:
    counts = {kind: sum(outcome.kind == kind for outcome in cell.values()) for kind in ("ok", "declared", "failed")}
    print(
        f"{title} → {upstream}: {counts['ok']} work, {counts['declared']} declared, {counts['failed']} failed",
        flush=True,
    )
    for id, outcome in cell.items():
        if outcome.kind == "failed":
            print(f"  ✗ {id}: {outcome.detail}", flush=True)


if __name__ == "__main__":
    raise SystemExit(main())
