"""The operator's commands, on real directories and databases, with vendors on loopback."""

import json
import os
import re
import sqlite3
import stat
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from yibu.app.migrate import head
from yibu.cli import app


@pytest.fixture(autouse=True)
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A directory of its own, in which the commands are typed, and an environment that sets nothing."""
    monkeypatch.chdir(tmp_path)
    for name in os.environ:
        if name.startswith("YIBU_"):
            monkeypatch.delenv(name)
    return tmp_path


def run(*words: str) -> Result:
    return CliRunner().invoke(app, words)


def told(*words: str) -> Any:
    """What a command answers with `--json`; it must end well."""
    result = run(*words, "--json")
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


def configure(text: str) -> None:
    Path("yibu.toml").write_text(text, "utf-8")


def channel(base_url: str, *, keys: str = '["a-key"]', provider: str = "openai") -> str:
    """A configuration with one channel, whose one model has a price."""
    return f"""
        [[channels]]
        name = "main"
        provider = "{provider}"
        base_url = "{base_url}"
        keys = {keys}
        models = {{ fast = "small-1" }}

        [[prices]]
        model = "fast"
        input = "0.15"
        output = "0.60"
    """


class Vendor(BaseHTTPRequestHandler):
    """Answers a list of models as the test wants."""

    status = 200
    kind = "application/json"
    body = b""
    asked: list[tuple[str, str | None]]

    def do_GET(self) -> None:
        self.asked.append((self.path, self.headers.get("authorization")))
        self.send_response(self.status)
        self.send_header("content-type", self.kind)
        self.send_header("content-length", str(len(self.body)))
        self.end_headers()
        self.wfile.write(self.body)

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing on the screen."""


@contextmanager
def vendor(body: bytes, status: int = 200, kind: str = "application/json") -> Iterator[tuple[str, type[Vendor]]]:
    """A vendor's address, and what it was asked."""
    made = type("VendorOfTest", (Vendor,), {"status": status, "kind": kind, "body": body, "asked": []})
    server = ThreadingHTTPServer(("127.0.0.1", 0), made)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", made
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def models(*names: str) -> bytes:
    return json.dumps({"object": "list", "data": [{"id": name, "object": "model"} for name in names]}).encode()


def test_a_key_from_making_to_its_end() -> None:
    """A key is made, listed without its secret, and revoked for good."""
    made = told("keys", "create", "--name", "laptop", "--model", "fast", "--model", "slow", "--rpm", "10")
    before = told("keys", "list")["keys"]
    ended = told("keys", "revoke", made["id"])
    after = told("keys", "list")["keys"]

    assert re.fullmatch(r"sk-yb-[0-9a-z]{32}", made["key"])
    assert before == [
        {
            "id": made["id"],
            "name": "laptop",
            "hint": made["key"][-4:],
            "models": ["fast", "slow"],
            "revoked": False,
            "last_used_at": None,
        }
    ]
    assert ended == {"id": made["id"], "revoked": True}
    assert [one["revoked"] for one in after] == [True]


def test_people_read_the_same() -> None:
    """Without `--json` the secret stands on a line of its own, and the list is one line a key."""
    assert "There are no keys yet" in run("keys", "list").stdout

    secret = run("keys", "create").stdout.splitlines()[0]
    listed = run("keys", "list").stdout.splitlines()

    assert secret.startswith("sk-yb-")
    assert len(listed) == 1
    assert f"…{secret[-4:]}" in listed[0]
    assert secret not in listed[0]
    assert "never used" in listed[0]


def test_the_list_tells_when_a_key_was_last_used(place: Path) -> None:
    """In UTC, up to a minute late."""
    made = told("keys", "create")
    with closing(sqlite3.connect(place / "yibu-data" / "yibu.db")) as book, book:
        book.execute("UPDATE api_key SET last_used_at = 1767225600999")

    assert told("keys", "list")["keys"][0]["last_used_at"] == "2026-01-01T00:00:00Z"
    assert "2026-01-01T00:00:00Z" in run("keys", "list").stdout
    assert made["id"] in run("keys", "list").stdout


def test_a_key_that_is_not_there() -> None:
    """Revoking what is unknown, or revoked already, says so and ends with 1."""
    made = told("keys", "create")
    told("keys", "revoke", made["id"])

    for id_ in ("key_nobody", made["id"]):
        result = run("keys", "revoke", id_)

        assert result.exit_code == 1
        assert f"There is no active key {id_}" in result.stderr


@pytest.mark.parametrize("option", ["--rpm", "--concurrency"])
def test_a_limit_of_nothing(option: str) -> None:
    """A limit below one is a mistake in typing, not a key that never works."""
    assert run("keys", "create", option, "0").exit_code == 2


def test_the_secret_is_kept_nowhere(place: Path) -> None:
    """No file of the data directory holds a key in the clear."""
    secret = told("keys", "create")["key"].encode()
    told("credit", "10")

    files = [file for file in (place / "yibu-data").rglob("*") if file.is_file()]

    assert [file.name for file in files if secret in file.read_bytes()] == []
    assert files


def test_the_data_directory_is_private(place: Path) -> None:
    """What holds balances and secrets is made for its owner's eyes alone, wherever it is."""
    told("keys", "create")
    told("keys", "create", "--data-dir", "else/where")

    for folder in (place / "yibu-data", place / "else" / "where"):
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700


def test_credit_adds_up() -> None:
    """Each credit is added; without an amount the balance is shown and nothing changes."""
    assert told("credit") == {"available": "0", "held": "0", "spent": "0", "granted": "0"}
    assert told("credit", "10")["available"] == "10"
    assert told("credit", "0.000000001", "--reason", "a nano")["available"] == "10.000000001"
    assert told("credit") == {"available": "10.000000001", "held": "0", "spent": "0", "granted": "10.000000001"}
    assert run("credit").stdout == "available 10.000000001 · held 0 · spent 0\n"


@pytest.mark.parametrize("amount", ["ten", "0", "0.0000000001", "nan", "inf", "1e30", "1000000000.1", "", "-5"])
def test_credit_of_nonsense(amount: str) -> None:
    """What is not an amount of money above zero and within reason is refused with a sentence, and nothing is booked."""
    result = run("credit", "--", amount)

    assert result.exit_code == 2
    assert "mount" in result.stderr
    assert isinstance(result.exception, SystemExit)
    assert told("credit")["granted"] == "0"


def test_the_book_is_right() -> None:
    """A book that nobody touched is proved."""
    told("credit", "10")

    assert told("ledger", "check") == {"ok": True, "problems": []}
    assert "The book is right" in run("ledger", "check").stdout


def test_the_book_is_wrong(place: Path) -> None:
    """A balance that somebody changed by hand is found: exit 1, the account and the difference."""
    told("credit", "10")
    with closing(sqlite3.connect(place / "yibu-data" / "yibu.db")) as book, book:
        book.execute("UPDATE account SET balance = balance + 5000000000 WHERE kind = 'available'")

    result = run("ledger", "check")
    as_json = run("ledger", "check", "--json")

    assert result.exit_code == as_json.exit_code == 1
    assert re.search(r"Account wallet:\d+:available says 15; its entries sum to 10, a difference of 5", result.stdout)
    assert json.loads(as_json.stdout)["ok"] is False


def test_migrate(place: Path) -> None:
    """The tables are made, once, and the revision is told."""
    first, second = run("migrate"), run("migrate")

    assert first.stdout == second.stdout == f"The database is at revision {head()}.\n"
    assert (place / "yibu-data" / "yibu.db").is_file()


@pytest.mark.parametrize("command", [["credit"], ["keys", "list"], ["migrate"]])
def test_a_data_directory_that_cannot_be(place: Path, command: list[str]) -> None:
    """It is a sentence with the remedy, not a traceback."""
    (place / "a-file").write_text("")
    result = run(*command, "--data-dir", "a-file/data")

    assert result.exit_code == 1
    assert result.stderr.startswith("The data directory a-file/data cannot be made: Not a directory. Choose another")


def test_serve_with_a_data_directory_that_cannot_be(place: Path) -> None:
    """The same, in a process of its own: serving sets up the log of the whole process."""
    (place / "a-file").write_text("")
    command = [sys.executable, "-m", "yibu", "serve", "--port", "0", "--data-dir", "a-file/data"]
    result = subprocess.run(command, cwd=place, capture_output=True, text=True, check=False, timeout=60)

    assert result.returncode == 1
    assert result.stderr.startswith("The data directory a-file/data cannot be made: Not a directory. Choose another")


def test_a_variable_that_is_no_json(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its name is told, without its value and without a traceback."""
    monkeypatch.setenv("YIBU_CHANNELS", "[{")
    result = run("check")

    assert result.exit_code == 1
    assert result.stderr.startswith("The variable YIBU_CHANNELS, or one whose name begins so, is no JSON.")


def test_check_without_channels() -> None:
    """Nothing to sell is a problem, and the sandbox its remedy."""
    result = run("check")

    assert result.exit_code == 1
    assert "There is no channel yet" in result.stdout
    assert "--sandbox" in result.stdout


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[server", "cannot be read"),
        ("[server]\nprot = 1", "server.prot: There is no such setting."),
        ("[server]\nport = 70000", "server.port"),
        ('[[channels]]\nname = "a b"\nprovider = "openai"', "channels[1].name: It takes letters"),
        ('[[channels]]\nname = "a"', "channels[1].provider: This setting is required."),
        ('[[prices]]\nmodel = "m"', "names no meter"),
        ('[[prices]]\nmodel = "m"\ninput = "-1"', "negative"),
        ('[[prices]]\nmodel = "m"\ninput = "1,5"', 'prices[1].input: It takes a number, such as "0.15".'),
        ('[fetch]\nallow = "10.0.0.5:9000"', "fetch.allow: It takes a list"),
        ('[[prices]]\nmodel = "film"\nsecond = "1"', 'say so with [[models]] and `kind = "video"`'),
        ('[database]\nurl = "postgresql://host/db"', "database.url: Only sqlite:///<path> is supported yet."),
    ],
)
def test_check_of_a_wrong_configuration(text: str, words: str) -> None:
    """A mistake in the file is named, without a traceback."""
    configure(text)
    result = run("check")

    assert result.exit_code == 1
    assert words in result.stderr
    assert result.exception is None or isinstance(result.exception, SystemExit)


def test_check_of_a_file_that_is_not_there() -> None:
    """`--config` names a file that must be there."""
    result = run("check", "--config", "else.toml")

    assert result.exit_code == 1
    assert "There is no configuration file at else.toml" in result.stderr


def test_check_of_an_unknown_provider() -> None:
    """The providers that there are stand in the sentence."""
    configure(channel("https://api.example.com", provider="opnai"))
    result = run("check")

    assert result.exit_code == 1
    assert re.search(r"Channel main: there is no provider 'opnai'\. Known: .*\bopenai\b", result.stderr)


def test_check_of_a_variable_that_is_not_set(monkeypatch: pytest.MonkeyPatch) -> None:
    """The variable is named; its absence never becomes an empty key."""
    monkeypatch.delenv("NOT_SET_AT_ALL", raising=False)
    configure(channel("https://api.example.com", keys='["env:NOT_SET_AT_ALL"]'))
    result = run("check")

    assert result.exit_code == 1
    assert "the environment variable NOT_SET_AT_ALL is not set" in result.stderr


def test_check_of_a_vendor_that_is_well(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each key of each channel asks for the list of models, below the base URL, whether that ends with /v1 or not."""
    monkeypatch.setenv("SECOND_KEY", "two")
    with vendor(models("small-1", "large-1")) as (url, heard):
        configure(channel(f"{url}/v1/", keys='["one", "env:SECOND_KEY"]'))

        assert told("check") == {"ok": True, "problems": []}
        assert "All is well" in run("check").stdout
    assert heard.asked[:2] == [("/v1/models", "Bearer one"), ("/v1/models", "Bearer two")]


@pytest.mark.parametrize(
    "body",
    [
        {"data": [{"id": "small-1"}, {"id": "large-1"}]},
        {"models": [{"name": "models/small-1"}, {"name": "models/large-1"}], "nextPageToken": "x"},
        {"models": [{"name": "small-1"}, {"name": "large-1"}]},
        {"modelSummaries": [{"modelId": "small-1"}, {"modelId": "large-1"}]},
        [{"id": "small-1"}, {"id": "large-1", "type": "chat"}],
    ],
)
def test_check_lists_what_a_vendor_has(body: Any) -> None:
    """In whatever form the vendor lists it."""
    with vendor(json.dumps(body).encode()) as (url, _):
        configure(channel(url))

        assert told("check", "--models")["models"] == {"main": ["large-1", "small-1"]}
        assert "  large-1\n  small-1\n" in run("check", "--models").stdout


@pytest.mark.parametrize("listed", ["small-1", "small-1-20261101", "small-1:latest", "small-1-latest"])
def test_check_knows_the_newest_of_a_kind(listed: str) -> None:
    """Vendors list dated names and take the plain one."""
    with vendor(models(listed)) as (url, _):
        configure(channel(url))

        assert told("check") == {"ok": True, "problems": []}


@pytest.mark.parametrize(
    ("body", "status", "kind", "words"),
    [
        (b'{"error":{"message":"no"}}', 401, "application/json", "the vendor does not accept the key"),
        (b"<html>Welcome</html>", 200, "text/html", "does not answer with a list of models"),
        (b"<html>Not found</html>", 404, "text/html", "answers 404 to a list of models"),
        (models("large-1"), 200, "application/json", "the vendor does not list small-1"),
    ],
)
def test_check_of_a_vendor_that_is_not(body: bytes, status: int, kind: str, words: str) -> None:
    """What is wrong at the vendor is said in a sentence that names the channel."""
    with vendor(body, status, kind) as (url, _):
        configure(channel(url))
        result = run("check", "--json")

    problems = json.loads(result.stdout)["problems"]
    assert result.exit_code == 1
    assert len(problems) == 1
    assert problems[0].startswith("Channel main: ")
    assert words in problems[0]


def test_check_of_a_vendor_that_is_away() -> None:
    """An address at which nobody listens is a sentence too, and the key is not in it."""
    with vendor(b"") as (url, _):
        pass
    configure(channel(url, keys='["sk-very-secret-key"]'))
    result = run("check")

    assert result.exit_code == 1
    assert "does not answer" in result.stdout
    assert "sk-very-secret-key" not in result.output


def test_check_of_a_service_account_that_is_none() -> None:
    """What to do is said before anybody is called, and nothing of the key."""
    configure(channel("https://aiplatform.googleapis.com", keys='["AIza-very-secret"]').replace("openai", "vertex"))
    result = run("check")

    assert result.exit_code == 1
    assert "Channel main: its key is not the JSON of a service account. Make a key of the type JSON" in result.stderr
    assert "very-secret" not in result.output


def test_check_of_a_model_without_a_price() -> None:
    """A model that would be refused to everybody is a problem."""
    with vendor(models("small-1")) as (url, _):
        configure(channel(url).replace('model = "fast"', 'model = "other"'))
        result = run("check")

    assert result.exit_code == 1
    assert "The model fast has no price" in result.stdout


def test_as_a_program(place: Path) -> None:
    """`python -m yibu` runs the commands, and says what it can do when it is told nothing."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith("YIBU_")}

    def program(*words: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "yibu", *words]
        return subprocess.run(command, cwd=place, env=clean, capture_output=True, text=True, check=False)

    made = program("keys", "create", "--json")
    wrong = program("keys", "revoke", "key_nobody")
    silent = program()

    assert json.loads(made.stdout)["key"].startswith("sk-yb-")
    assert made.stderr == ""
    assert (wrong.returncode, wrong.stdout) == (1, "")
    assert "keys" in silent.stdout + silent.stderr
