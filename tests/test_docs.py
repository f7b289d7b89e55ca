"""The pages keep their promises: whatever can be set, called, typed or go wrong is described, in both languages."""

import importlib.util
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from itertools import chain
from pathlib import Path
from types import ModuleType
from typing import Any

import msgspec
import pytest
import typer
from pydantic import BaseModel
from pydantic_core import PydanticUndefined

from yibu import dialects, providers
from yibu.catalog import catalog
from yibu.cli import app as commands
from yibu.dialects.openai_chat import DIALECT
from yibu.gateway import asgi
from yibu.hub.embed import EmbedInput, EmbedRequest, Floats
from yibu.hub.errors import Broken, HubError, InvalidRequest
from yibu.hub.parts import Text
from yibu.kit.settings import Settings, load
from yibu.providers.provider import Provider
from yibu.routing import channel
from yibu.sandbox.behaviours import FATES, MANNERS
from yibu.sandbox.models import LANGUAGE_MODEL, OTHER_MODELS
from yibu.tasks import films

ROOT = Path(__file__).parents[1]
PAIRS = [
    (page, page.with_suffix(".zh.md"))
    for page in sorted([ROOT / "README.md", *ROOT.glob("docs/*.md")])
    if page.with_suffix(".zh.md").is_file()
]
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/*.md")])
BLOCK = re.compile(r"^(`{3,})(\w*)\n(.*?)^\1$", re.MULTILINE | re.DOTALL)
ALONE = {"architecture.md", "CONTRIBUTING.md", "CHANGELOG.md"}
"""Pages for developers, in English only; those of the measurements begin with `performance`."""


def both(name: str) -> list[str]:
    """The English and the Chinese page."""
    return [(ROOT / f"{name}.md").read_text("utf-8"), (ROOT / f"{name}.zh.md").read_text("utf-8")]


def rows_of(text: str, name: str) -> list[str]:
    """The lines of tables whose first cell names it."""
    return [line for line in text.splitlines() if line.startswith("|") and f"`{name}`" in line.split("|")[1]]


def blocks(text: str, kind: str) -> list[str]:
    return [found[3] for found in BLOCK.finditer(text) if found[2] == kind]


def commands_in(text: str) -> list[str]:
    """What is to be typed or written into a file, without comments, which each language has its own of."""
    wanted = [found[3] for found in BLOCK.finditer(text) if found[2] in ("bash", "toml", "python")]
    return [re.sub(r"(^|\s)#.*$", "", one, flags=re.MULTILINE) for one in wanted]


def headings(text: str) -> list[int]:
    """The levels of a page's headings, in order."""
    plain = BLOCK.sub("", text)
    return [len(found[1]) for found in re.finditer(r"^(#+) ", plain, re.MULTILINE)]


def settings_of(model: type[BaseModel], path: str = "") -> Iterator[tuple[str, Any]]:
    """Each setting as it is spelt in TOML, with its default."""
    for name, field in model.model_fields.items():
        inner = [kind for kind in (field.annotation, *getattr(field.annotation, "__args__", ())) if _is_section(kind)]
        if inner:
            yield from settings_of(inner[0], f"{path}{name}.")
        else:
            yield f"{path}{name}", field.default


def _is_section(kind: Any) -> bool:
    return isinstance(kind, type) and issubclass(kind, BaseModel)


def spelt(default: Any) -> str:
    """How a default stands in the table."""
    if default is PydanticUndefined or default is None:
        return ""
    if isinstance(default, bool):
        return f"`{str(default).lower()}`"
    if default == ():
        return "`[]`"
    return f"`{default}`" if default != "" else '`""`'


def routes() -> list[str]:
    """Method and path of all that the gateway serves."""
    theirs = [f"{r.method} {r.path.replace(':path', '')}" for d in dialects.discover().values() for r in d.routes]
    own = chain.from_iterable(re.sub(r"\(\?P<(\w+)>[^)]*\)", r"{\1}", p.pattern).split("|") for p, _ in asgi.OWN)
    return [*theirs, *(f"GET {path}" for path in own)]


def verbs(group: Any, path: str = "yibu") -> Iterator[tuple[str, list[str]]]:
    """Each command with its long options."""
    for name, command in group.commands.items():
        if hasattr(command, "commands"):
            yield from verbs(command, f"{path} {name}")
        else:
            yield f"{path} {name}", [o for p in command.params for o in p.opts + p.secondary_opts if o.startswith("--")]


def errors(kind: type[HubError] = HubError) -> Iterator[type[HubError]]:
    for sub in kind.__subclasses__():
        if sub.__module__ == HubError.__module__:
            yield sub
            yield from errors(sub)


@pytest.mark.parametrize(("setting", "default"), list(settings_of(Settings)))
def test_every_setting_is_described(setting: str, default: Any) -> None:
    """A setting has a row in both pages, with its default, and with its variable unless it stands in a list."""
    variable = "YIBU_" + setting.upper().replace(".", "__")
    is_in_list = setting.startswith(("channels.", "prices.", "models."))
    for page in both("docs/configuration"):
        rows = rows_of(page, setting)

        assert len(rows) == 1
        assert spelt(default) in rows[0] or default == {}
        assert is_in_list or f"`{variable}`" in rows[0]


@pytest.mark.parametrize("route", routes())
def test_every_route_is_described(route: str) -> None:
    """A route has a row in both pages that says who may call it."""
    for page in both("docs/api"):
        assert next(row.split("|")[2].strip() for row in rows_of(page, route)) in (
            *("open", "key", "link", "token"),
            *("公开", "密钥", "链接", "口令"),
        )


@pytest.mark.parametrize(("verb", "options"), list(verbs(typer.main.get_command(commands))))
def test_every_command_is_described(verb: str, options: list[str]) -> None:
    """A command has a section with an example in both pages, and its options are named."""
    for page in both("docs/cli"):
        section = page.partition(f"\n## {verb}\n")[2].partition("\n## ")[0]

        assert any(
            line.startswith(verb) or f" {verb} " in line for b in blocks(section, "bash") for line in b.splitlines()
        )
        common = page.partition("\n## ")[2].partition("\n## ")[0]
        assert [option for option in options if option not in section + common] == ["--help"] * ("--help" in options)


@pytest.mark.parametrize("error", sorted(set(errors()), key=lambda kind: kind.__name__))
def test_every_error_is_described(error: type[HubError]) -> None:
    """A code has a row in both pages, with the status that OpenAI's dialect gives it."""
    for page in both("docs/errors"):
        rows = rows_of(page, error.code)

        assert len(rows) == 1
        assert f"| {DIALECT.error_status(error())} |" in rows[0]


@pytest.mark.parametrize("error", sorted(set(errors()), key=lambda kind: kind.__name__))
def test_every_error_has_words_in_chinese(error: type[HubError]) -> None:
    """Its own, not those of the situation it is a case of."""
    assert "zh" in vars(error)
    assert re.fullmatch(r"[\u4e00-\u9fff].*。", error.zh)


def test_every_end_of_a_film_is_described() -> None:
    """The codes with which films end badly stand in both pages."""
    codes = set(re.findall(r'_fail\(\s*State\.\w+,\s*"(\w+)"', Path(films.__file__).read_text("utf-8")))
    ours = {fate.error[0] for fate in FATES.values() if fate.error}
    for page in both("docs/errors"):
        assert {code for code in codes | ours if not rows_of(page, code)} == set()


@pytest.mark.parametrize("provider", providers.discover().values(), ids=lambda provider: provider.id)
def test_every_provider_is_described(provider: Provider) -> None:
    """A row in both pages has its name, the formats it is asked in, and its address."""
    for page in both("docs/providers"):
        (row,) = [line for line in page.splitlines() if line.startswith(f"| {provider.title} | `{provider.id}` |")]

        assert re.findall(r"`(\w+)`", row.split("|")[3]) == list(provider.speaks)
        assert provider.base_url in row.split("|")[4]


@pytest.mark.parametrize("model", [LANGUAGE_MODEL, *OTHER_MODELS, *MANNERS, *FATES])
def test_every_model_of_the_sandbox_is_described(model: str) -> None:
    """A model has a row in both pages."""
    for page in both("docs/sandbox"):
        assert len(rows_of(page, model)) >= 1


def test_every_page_has_its_pair() -> None:
    """A page for users is there in both languages."""
    paired = {page for pair in PAIRS for page in pair}
    alone = {page.name for page in PAGES if page not in paired}

    assert {name for name in alone - ALONE if not name.startswith("performance")} == set()


@pytest.mark.parametrize("pair", PAIRS, ids=lambda pair: pair[0].name)
def test_both_languages_say_the_same(pair: tuple[Path, Path]) -> None:
    """The two pages have the same headings in number and level, the same commands, and as many rows in their tables."""
    english, chinese = (page.read_text("utf-8") for page in pair)

    assert headings(english) == headings(chinese)
    assert commands_in(english) == commands_in(chinese)
    assert len(re.findall(r"^\|", english, re.MULTILINE)) == len(re.findall(r"^\|", chinese, re.MULTILINE))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path) -> None:
    """A relative link names a file that is there; an anchor names a heading of it."""
    for target in re.findall(r"\]\(([^)\s]+)\)", BLOCK.sub("", page.read_text("utf-8"))):
        if "://" in target:
            continue
        name, _, anchor = target.partition("#")
        file = page.parent / name if name else page

        assert file.is_file(), target
        if anchor:
            said = re.findall(r"^#+ (.+)$", file.read_text("utf-8"), re.MULTILINE)
            assert anchor in [re.sub(r"[^\w\- ]", "", one).strip().lower().replace(" ", "-") for one in said], target


def test_nothing_ties_the_house_to_a_machine() -> None:
    """No file names a package registry's host or an absolute path of somebody's machine."""
    hosts = ["py" + "pi.org", "python" + "hosted.org", "npm" + "js.org", "npm" + "js.com", "tsinghua.edu" + ".cn"]
    hosts += ["aliyun.com/" + "py" + "pi", "crates" + ".io", "proxy.golang" + ".org"]
    places = ["/" + part + "/" for part in ("work", "root", "Users", "home")]
    words = re.compile("|".join([*map(re.escape, hosts), *(rf"(?<![\w.}}/-]){re.escape(place)}" for place in places)]))
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=False)
    if listed.returncode:
        pytest.skip("not a checkout of git")
    files = [ROOT / name for name in listed.stdout.decode().split("\0") if name and name != "LICENSE"]

    assert [f"{file}: {found[0]}" for file in files if file.is_file() if (found := words.search(_text(file)))] == []


def _text(file: Path) -> str:
    return file.read_bytes().decode("utf-8", "replace")


def test_what_the_readme_makes_can_be_made() -> None:
    """Each `make …` in a page names a target of the Makefile."""
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE))
    text = "\n".join(chain.from_iterable(blocks(page.read_text("utf-8"), "bash") for page in PAGES))
    made = re.findall(r"^make (\w+)", text, re.MULTILINE)

    assert set(made) - targets == set()
    assert {"demo", "test"} <= set(made)


EXAMPLES = [
    (page, text)
    for page in PAGES
    for text in blocks(page.read_text("utf-8"), "toml")
    if not text.startswith("[project") and "[model_providers" not in text  # a package's, and Codex's own
]


@pytest.mark.parametrize(("page", "text"), EXAMPLES, ids=[page.name for page, _ in EXAMPLES])
def test_examples_of_configuration_work(page: Path, text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An example loads, its channels and prices make sense, and every model it offers has a price."""
    for name in re.findall(r"env:(\w+)", text):
        monkeypatch.setenv(name, "a-secret")
    file = tmp_path / "yibu.toml"
    file.write_text(text, "utf-8")

    settings = load(file)
    channels = channel.from_settings(settings.channels)
    stock = catalog.from_settings(settings.models, settings.prices)

    assert {name for one in channels for name in one.models if stock.price(name) is None} == set()


def test_examples_of_variables_work(monkeypatch: pytest.MonkeyPatch) -> None:
    """The variables of the configuration page are understood."""
    (exports,) = [one for one in blocks(both("docs/configuration")[0], "bash") if "export" in one]
    for name, value in re.findall(r"^export (\w+)='?([^'\n]*)'?$", exports, re.MULTILINE):
        monkeypatch.setenv(name, value)

    settings = load()

    assert (settings.server.port, settings.files.ttl_hours, settings.fetch.allow) == (9000, 48, ("10.0.0.5:9000",))


def test_the_example_of_a_provider_works(tmp_path: Path) -> None:
    """What CONTRIBUTING shows is found as a provider, makes a channel, and drops what it says."""
    (text,) = blocks((ROOT / "CONTRIBUTING.md").read_text("utf-8"), "python")
    (kind,) = providers._kinds(_module(tmp_path, text))
    provider = kind()
    losses: list[Any] = []

    fields = {"model": msgspec.Raw(b'"m"'), "logit_bias": msgspec.Raw(b'{"5": 1}')}
    left = provider.prepare("openai_chat", fields, losses)

    assert (provider.id, list(left), [loss.where for loss in losses]) == ("lanxin", ["model"], ["$.logit_bias"])
    assert set(provider.speaks) <= set(dialects.discover())


def test_the_example_of_a_dialect_works(tmp_path: Path) -> None:
    """What CONTRIBUTING shows asks for vectors, reads them, and refuses what it cannot ask for."""
    (text,) = blocks((ROOT / "CONTRIBUTING.md").read_text("utf-8"), "py")
    shown = _module(tmp_path, text).VENDOR_DIALECT
    asked = EmbedRequest(model="m", inputs=(EmbedInput(parts=(Text(text="a"),)),))

    assert shown.encode_request(asked, []) == b'{"model":"m","texts":["a"]}'
    assert shown.decode_reply(b'{"vectors":[[1,2]]}').vectors == (Floats((1.0, 2.0)),)
    with pytest.raises(InvalidRequest):
        shown.encode_request(msgspec.structs.replace(asked, dimensions=3), [])
    with pytest.raises(Broken):
        shown.decode_reply(b"{}")


def _module(folder: Path, text: str) -> ModuleType:
    file = folder / "provider_of_the_example.py"
    file.write_text(text, "utf-8")
    spec = importlib.util.spec_from_file_location(file.stem, file)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    sys.modules[file.stem] = module
    try:
        spec.loader.exec_module(module)
    finally:
        del sys.modules[file.stem]
    return module


def test_the_readme_tells_the_version_that_is_there() -> None:
    """The changelog has a section for the version of the package."""
    version = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["version"]

    assert f"## {version}" in (ROOT / "CHANGELOG.md").read_text("utf-8")
