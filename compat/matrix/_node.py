"""An official SDK for Node.js: a script in `node/` runs its checks and tells what came of them."""

import json
import os
import subprocess
from collections.abc import Callable
from pathlib import Path

from compat.matrix import things
from compat.matrix.feature import FEATURES, Outcome
from compat.stand import Stand

MODULES = Path(".compat/node_modules")
PATIENCE_S = 300


def run_script(script: str, package: str) -> Callable[[Stand, str], dict[str, Outcome]]:
    """What tries every feature with `script`; `package`: the SDK's name at npm."""

    def run(stand: Stand, upstream: str) -> dict[str, Outcome]:
        said = subprocess.run(
            ["node", str(Path(__file__).parent / "node" / script)],
            input=json.dumps(_things()).encode(),
            env={
                "PATH": os.environ["PATH"],
                "COMPAT_URL": stand.url,
                "COMPAT_KEY": stand.key,
                "COMPAT_UPSTREAM": upstream,
                "COMPAT_MODULE": _entry(package),
            },
            capture_output=True,
            timeout=PATIENCE_S,
            check=False,
        )
        if said.returncode:
            raise RuntimeError(said.stderr.decode("utf-8", "replace")[-2000:])
        told = {id: Outcome(*outcome) for id, outcome in json.loads(said.stdout).items()}
        return {feature.id: told.get(feature.id, Outcome("none")) for feature in FEATURES}

    return run


def version_of(package: str) -> str:
    """Empty while it is not installed."""
    about = MODULES / package / "package.json"
    return json.loads(about.read_text())["version"] if about.is_file() else ""


def _entry(package: str) -> str:
    return (MODULES / package / "index.mjs").absolute().as_uri()


def _things() -> dict[str, object]:
    return {
        "QUESTION": things.QUESTION,
        "BOTH": things.BOTH,
        "LONG": things.LONG,
        "WEATHER": things.WEATHER,
        "TIME": things.TIME,
        "BIRD": things.BIRD,
        "PICTURE": things.picture(),
        "PDF": things.pdf(),
    }
