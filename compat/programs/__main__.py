"""`python -m compat.programs [--program NAME] [--upstream NAME] [--keep DIR]`: gives every program its work, over every upstream.

`make test-clients` installs them first. Prints a line a session, and what the program said where it failed.
"""

import argparse
import tempfile
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules

import compat.programs
from compat.programs.program import Access, Program, work
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
    failed = 0
    with tempfile.TemporaryDirectory() as temporary:
        folder = (wanted.keep or Path(temporary)).absolute()
        with stand(folder / "stand", (MODEL,), upstreams) as standing:
            for name, program in programs().items():
                if wanted.program and name not in wanted.program:
                    continue
                for upstream in upstreams:
                    access = Access(standing.url, standing.key, public(MODEL, upstream))
                    verdict = work(program, folder / f"{name}-on-{upstream}", access)
                    mark = "✓" if verdict.is_done else "✗"
                    print(f"{mark} {program.title} on {upstream}: {verdict.took_s:.1f} s", flush=True)
                    if not verdict.is_done:
                        failed += 1
                        print("    " + verdict.said.replace("\n", "\n    "), flush=True)
    return int(failed > 0)


if __name__ == "__main__":
    raise SystemExit(main())
