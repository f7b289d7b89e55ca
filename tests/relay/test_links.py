import pytest

from yibu.kit.links import Signer
from yibu.relay import links
from yibu.tasks.files import File

SIGNER = Signer(b"x" * 32)


def test_a_files_link_ends_as_clients_expect_it() -> None:
    file = File(id="file_abc", wallet=1, kind="video", mime="video/mp4", size=1, created_at=0)

    assert links.of_file("https://us.test", file) == "https://us.test/v1/files/file_abc.mp4"


@pytest.mark.parametrize(("make", "path"), [(links.of_preview, "web"), (links.of_source, "source")])
def test_a_films_link_carries_its_proof(make: object, path: str) -> None:
    """Who has it needs no key."""
    assert callable(make)
    url = make("https://us.test", "task_1", SIGNER)
    prefix, _, name = url.rpartition("/")

    assert prefix == f"https://us.test/{path}"
    assert links.read_task(name, SIGNER) == "task_1"


@pytest.mark.parametrize(
    "name", ["task_1", "task_1.", "task_1.abc", "", ".", "task_2.{}", "task_1.{}x", "task_1.\ud800"]
)
def test_a_link_that_is_not_ours_leads_nowhere(name: str) -> None:
    """Ids cannot be tried."""
    assert links.read_task(name.format(SIGNER.sign("task_1")), SIGNER) is None
    assert links.read_task("task_1." + Signer(b"y" * 32).sign("task_1"), SIGNER) is None
