"""`python -m compat.programs [--program NAME] [--upstream NAME] [--keep DIR]`: gives every program its work, over every upstream.

`make test-clients` installs them first. Prints a line a session, and what the program said where it failed.
A whole run is written into docs/compatibility.md and its Chinese twin.
"""

import argparse
import tempfile
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules

import compat.programs
from compat.page import table, write
from compat.programs.program import Access, Program, version_of, work
from compat.stand import UPSTREAMS, public, stand

MODEL = "sandbox/agent"


def programs() -> dict[str, Program]:
    """By the name of the file."""
    found = {}
    for module in iter_modules(compat.programs.__path__):
        if not module.name.startswith("_"):
            made = getattr(import_module(f"compat.programs.{module.name}"), "PROGRAM", None)
            found |= {module.name: made} if made else {}
    return found


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m compat.programs", description=__doc__)
    parser.add_argument("--program", action="append", choices=list(programs()), help="only this one; may be repeated")
    parser.add_argument("--upstream", action="append", choices=list(UPSTREAMS), help="only this one; may be repeated")
    parser.add_argument("--keep", type=Path, help="where to leave what was written, for a look")
    wanted = parser.parse_args()
    upstreams = tuple(wanted.upstream or UPSTREAMS)
    results: dict[str, dict[str, bool]] = {}
    with tempfile.TemporaryDirectory() as temporary:
        folder = (wanted.keep or Path(temporary)).absolute()
        with stand(folder / "stand", (MODEL,), upstreams) as standing:
            for name, program in programs().items():
                if wanted.program and name not in wanted.program:
                    continue
                for upstream in upstreams:
                    access = Access(standing.url, standing.key, public(MODEL, upstream))
                    verdict = work(program, folder / f"{name}-on-{upstream}", access)
                    results.setdefault(name, {})[upstream] = verdict.is_done
                    mark = "✓" if verdict.is_done else "✗"
                    print(f"{mark} {program.title} on {upstream}: {verdict.took_s:.1f} s", flush=True)
                    if not verdict.is_done:
                        print("    " + verdict.said.replace("\n", "\n    "), flush=True)
    if not (wanted.program or wanted.upstream):
        write("programs", {"en": _report(results, "program", "speaks"), "zh": _report(results, "程序", "使用的格式")})
    return int(not all(done for sessions in results.values() for done in sessions.values()))


def _report(results: dict[str, dict[str, bool]], *head: str) -> str:
    rows = []
    for name, sessions in results.items():
        program = programs()[name]
        marks = ["✓" if done else "✗" for done in sessions.values()]
        rows.append([f"{program.title} {version_of(program)}", program.speaks, *marks])
    return table([*head, *UPSTREAMS], rows)


if __name__ == "__main__":
    raise SystemExit(main())
