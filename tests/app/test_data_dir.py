import stat
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from yibu.app.data_dir import prepare, tighten


def mode_of(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def opened(path: Path, mode: int = 0o755) -> Path:
    """A directory that an operator made, with what the gateway puts into it."""
    path.mkdir()
    for name in ("yibu.db", "yibu.db-wal", "link-secret", "yibu.toml"):
        (path / name).touch()
    path.chmod(mode)
    return path


def test_a_new_data_directory_is_for_its_owner_alone(tmp_path: Path) -> None:
    prepare(tmp_path / "a" / "b")

    assert mode_of(tmp_path / "a" / "b") == 0o700


@pytest.mark.parametrize("mode", [0o755, 0o750, 0o777, 0o701])
def test_one_that_was_there_is_tightened(mode: int, tmp_path: Path) -> None:
    """Others have no business with balances and secrets; there is nothing to tell."""
    there = opened(tmp_path / "data", mode)
    with capture_logs() as told:
        tighten(there)

    assert mode_of(there) == 0o700
    assert told == []


def test_one_that_holds_other_things_keeps_its_mode(tmp_path: Path) -> None:
    """It may be a directory of the system; the operator is told."""
    there = opened(tmp_path / "srv")
    (there / "www").mkdir()
    with capture_logs() as told:
        tighten(there)

    assert mode_of(there) == 0o755
    [line] = told
    assert (line["event"], line["why"], line["mode"]) == ("data_dir_open_to_others", "it also holds www", "0755")
    assert "chmod 700" in line["remedy"]


def test_one_that_cannot_be_tightened_is_told_about(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It belongs to somebody else, as volumes of containers do; the gateway starts all the same."""
    there = opened(tmp_path / "data")

    def refuse(*_: Any) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(Path, "chmod", refuse)
    with capture_logs() as told:
        tighten(there)

    assert [line["why"] for line in told] == ["Operation not permitted"]
