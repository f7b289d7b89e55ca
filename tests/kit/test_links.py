import re
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from yibu.kit.links import Signer, WrongSecret, load_secret

SECRET = bytes(range(32))


def test_a_signature_fits_into_a_path() -> None:
    """A signature is 32 characters of lower-case base32 without padding."""
    assert re.fullmatch(r"[a-z2-7]{32}", Signer(SECRET).sign("/files/视频.mp4?expires=17"))


def test_a_signature_does_not_change_between_releases() -> None:
    """Links that were given out stay valid: HMAC-SHA256, cut to 20 bytes."""
    assert Signer(SECRET).sign("a") == "kft52forqftktxlmvi2sf5ycn4j5f6bm"


def test_only_the_same_text_and_secret_verify() -> None:
    """A signature is good for one text under one secret."""
    signer = Signer(SECRET)
    signature = signer.sign("file-1")

    assert signer.verify("file-1", signature)
    assert not signer.verify("file-2", signature)
    assert not Signer(bytes(32)).verify("file-1", signature)


@pytest.mark.parametrize("signature", ["", "a", "é" * 32, "\ud800", "A" * 32])
def test_nonsense_does_not_verify(signature: str) -> None:
    """Any text may come as a signature; it is refused without an error."""
    assert not Signer(SECRET).verify("file-1", signature)


def test_a_short_secret_is_refused() -> None:
    """A secret below 32 bytes does not make a signer."""
    with pytest.raises(WrongSecret):
        Signer(b"short")


def test_the_secret_file_is_made_once_and_private(tmp_path: Path) -> None:
    """The first start makes 32 bytes with mode 0600, later ones read them."""
    path = tmp_path / "data" / "links.key"
    secret = load_secret(path)

    assert len(secret) == 32
    assert load_secret(path) == secret
    assert path.stat().st_mode & 0o777 == 0o600
    assert list(path.parent.iterdir()) == [path]


def test_processes_that_start_together_share_a_secret(tmp_path: Path) -> None:
    """Whoever loses the race uses the winner's secret."""
    for turn in range(20):
        path = tmp_path / str(turn)
        with ThreadPoolExecutor(8) as pool:
            secrets = set(pool.map(load_secret, [path] * 8))

        assert secrets == {path.read_bytes()}


def test_a_damaged_secret_file_is_not_replaced(tmp_path: Path) -> None:
    """A file of another length is reported, for replacing it would break every link."""
    path = tmp_path / "links.key"
    path.write_bytes(b"cut")

    with pytest.raises(WrongSecret, match=r"links.key has 3 bytes"):
        load_secret(path)
