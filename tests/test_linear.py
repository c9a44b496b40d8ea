"""No text takes more than linear time: every pattern of the data and of the code, and whatever reads strangers' words.

Our own code is held to it by counting its steps; patterns, and what is C below us, by the processor's time: the only
test that may look at a clock. It looks at the process's own, five times, and asks only for a ratio.
"""

from __future__ import annotations

import ast
import importlib
import re
import sys
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import FrameType
from typing import Any

import pytest

from smtp_wizard.engine.base.address import Address
from smtp_wizard.engine.base.data_files import data_path, read_yaml
from smtp_wizard.engine.base.endpoint import parse_host
from smtp_wizard.engine.base.errors import InputError
from smtp_wizard.engine.base.html_links import read_html
from smtp_wizard.engine.base.mail_message import begins_with_header, decoded, read_message
from smtp_wizard.engine.base.secret import Secret
from smtp_wizard.engine.base.shown import shown
from smtp_wizard.engine.base.stages import Stage
from smtp_wizard.engine.diagnosis.patterns import Patterns
from smtp_wizard.engine.diagnosis.placeholders import Placeholders
from smtp_wizard.engine.discovery.autoconfig import AutoconfigError, read_offers
from smtp_wizard.engine.discovery.server_identity import owner_of
from smtp_wizard.engine.explain.factory import load_explainer
from smtp_wizard.engine.explain.pasted_text import find_replies, plain_text, without_secrets
from smtp_wizard.engine.explain.programs import load_programs
from smtp_wizard.engine.explain.readers.bounces import read_bounce
from smtp_wizard.engine.explain.readers.fixed_texts import load_fixed_texts
from smtp_wizard.engine.explain.readers.iis_logs import read_iis
from smtp_wizard.engine.explain.readers.mail_logs import read_mail_log
from smtp_wizard.engine.guides.guides import Guide, fill
from smtp_wizard.engine.mailbox.recipient_blocks import recipient_blocks
from smtp_wizard.engine.providers.catalog import load_catalog
from smtp_wizard.engine.smtp.masking import Redactor
from smtp_wizard.engine.smtp.protocol import ReplyParser, SmtpError
from smtp_wizard.engine.smtp.symptom import Fault, Symptom
from smtp_wizard.engine.unsubscribe import check_template, parse_url
from smtp_wizard.output.plain_lines import paragraph
from smtp_wizard.screens.areas.explain import visible_text
from tests.support.repeated import UNITS, repeated, superlinear, units_of, without_end
from tests.support.rows import each_row

PACKAGE = Path(__file__).parents[1] / "smtp_wizard"


def test_what_is_linear_is_told_from_what_is_not() -> None:
    """The measure itself: patterns that were here once, and what took their places."""
    for bad, unit, good in (
        (r"\\+n", "\\", r"(?<!\\)\\++n"),
        (r"zertifikat\w*.{0,9}alt", "zertifikat", r"zertifikat\w{0,40}.{0,9}alt"),
        (r"\n\s*x", "\n", r"\n\s{0,40}x"),
        (r"<a[^>]*>", "<a", r"<a[^<>]*>"),
    ):
        # What a processor takes differs by half from one moment to the next.
        assert any(superlinear(re.compile(bad).search, 800, [unit]) for _ in range(20))
        assert not superlinear(re.compile(good).search, 800, [unit])
        assert unit in units_of(bad)
        assert without_end(bad)
    assert without_end(r"(?!(a|x+){2})a?")
    assert not without_end(r"(?!(a|x{1,9}){2})a?")


# --- the patterns of the code ---

METHODS = frozenset({"search", "match", "fullmatch", "split", "findall", "finditer", "sub", "subn"})
MADE_OF_VALUES = {
    "engine/base/data_files.py": "of words that stand there",
    "engine/base/records.py": "of a field of one of our own classes",
    "engine/guides/guides.py": "of one web address, escaped",
    "engine/diagnosis/patterns.py": "of the data; they are looked at below",
    "engine/diagnosis/rules.py": "of status codes in the data, for a status code",
    "engine/smtp/masking.py": "of a secret, escaped; looked at below",
}
"""Modules with patterns that are only made while the program runs, and of what."""
USED_AS = {("engine/diagnosis/patterns.py", name): {"match"} for name in ("_GROUP_START", "_SET", "_ESCAPE")}
"""How patterns are used that are handed on under another name."""


@dataclass(frozen=True)
class Found:
    """A pattern in the code, and how it is used."""

    where: str
    pattern: str | bytes
    flags: int
    methods: frozenset[str]

    def use(self, method: str) -> Callable[[str], object]:
        """Return what does to a text what the code does."""
        compiled: re.Pattern[Any] = re.compile(self.pattern, self.flags)
        empty = self.pattern[:0]

        def work(text: str) -> object:
            asked = text if isinstance(self.pattern, str) else text.encode("utf-8", "replace")
            if method in ("sub", "subn"):
                return compiled.sub(empty, asked)
            return (
                sum(1 for _ in compiled.finditer(asked)) if method == "finditer" else getattr(compiled, method)(asked)
            )

        return work


@cache
def code_patterns() -> tuple[tuple[Found, ...], frozenset[str]]:
    """Return all patterns of the package that can be known, and the modules that have others."""
    found: list[Found] = []
    unknown: set[str] = set()
    trees = {path.relative_to(PACKAGE).as_posix(): ast.parse(path.read_text("utf-8")) for path in PACKAGE.rglob("*.py")}
    everywhere = _uses(trees.values())
    for where, tree in trees.items():
        here = _uses([tree])
        names = {
            id(node.value): target.id
            for node in ast.walk(tree)
            if isinstance(node, ast.Assign | ast.AnnAssign)
            for target in _targets(node)
            if isinstance(target, ast.Name)
        }
        for call in ast.walk(tree):
            if not _asks_re(call):
                continue
            assert isinstance(call, ast.Call)
            assert isinstance(call.func, ast.Attribute)
            try:
                pattern, flags = _evaluated(where, call)
            except NameError:
                unknown.add(where)
                continue
            name = names.get(id(call), "")
            used = {call.func.attr} if call.func.attr != "compile" else USED_AS.get((where, name))
            used = used or (here if name.startswith("_") else everywhere).get(name) or {"search"}
            found.append(Found(f"{where}:{call.lineno}", pattern, flags, frozenset(used)))
    return tuple(found), frozenset(unknown)


def _targets(node: ast.Assign | ast.AnnAssign) -> list[ast.expr]:
    return node.targets if isinstance(node, ast.Assign) else [node.target]


def _asks_re(node: ast.AST) -> bool:
    return (
        isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr in METHODS | {"compile"}
        and isinstance(node.func.value, ast.Name)
        and node.func.value.id == "re"
    )


def _uses(trees: Any) -> Mapping[str, set[str]]:
    """What is done with the names of some modules that could be patterns'."""
    uses: defaultdict[str, set[str]] = defaultdict(set)
    for tree in trees:
        for node in ast.walk(tree):
            if isinstance(node, ast.Attribute) and node.attr in METHODS and isinstance(node.value, ast.Name):
                uses[node.value.id].add(node.attr)
    return uses


def _evaluated(where: str, call: ast.Call) -> tuple[str | bytes, int]:
    """Return pattern and flags of a call. Raises `NameError` where they depend on values."""
    names = vars(
        importlib.import_module(f"smtp_wizard.{where.removesuffix('.py').removesuffix('/__init__').replace('/', '.')}")
    )

    def value(node: ast.expr) -> Any:
        return eval(compile(ast.Expression(node), where, "eval"), dict(names))

    flags = [
        value(each) for each in (*call.args[1:], *(word.value for word in call.keywords)) if "re." in ast.unparse(each)
    ]
    return value(call.args[0]), sum(flags)


def test_every_pattern_of_the_code_is_looked_at() -> None:
    """Those that cannot be are known by name, and why."""
    found, unknown = code_patterns()
    assert len(found) > 100
    assert unknown == MADE_OF_VALUES.keys()
    assert {each.where.partition(":")[0] for each in found} >= {
        "engine/explain/pasted_text.py",
        "engine/unsubscribe.py",
        "output/junit.py",
    }


@pytest.mark.begins_early
@each_row("found", lambda: code_patterns()[0], ids=lambda found: found.where)
def test_no_pattern_of_the_code_takes_more_than_linear_time(found: Found) -> None:
    own = units_of(found.pattern if isinstance(found.pattern, str) else found.pattern.decode("latin-1"), found.flags)
    units = (*UNITS, *own)
    assert {
        method: bad for method in sorted(found.methods) if (bad := superlinear(found.use(method), 1000, units))
    } == {}


# --- the patterns of the data ---


def data_patterns() -> Iterator[tuple[str, Patterns]]:
    """Yield all patterns of the data, wherever they stand in it."""
    explainer = load_explainer(load_catalog())
    held: list[Patterns] = []
    seen: set[int] = set()

    def walk(thing: Any) -> None:
        if id(thing) in seen or not type(thing).__module__.startswith(("smtp_wizard", "builtins", "types")):
            return
        seen.add(id(thing))
        if isinstance(thing, Patterns):
            held.append(thing)
            return
        inner: list[Any] = []
        if isinstance(thing, Mapping):
            inner += thing.values()
        elif isinstance(thing, list | tuple | set | frozenset):
            inner += thing
        inner += getattr(thing, "__dict__", {}).values()
        inner += (getattr(thing, name, None) for kind in type(thing).__mro__ for name in getattr(kind, "__slots__", ()))
        inner += (cell.cell_contents for cell in getattr(thing, "__closure__", None) or ())
        for each in inner:
            walk(each)

    walk(explainer)
    walk([load_fixed_texts(), load_programs()])  # the explainer reads them where it needs them
    for patterns in held:
        yield ", ".join(patterns.sources[:1]), patterns


@cache
def branches() -> tuple[str, ...]:
    """All branches of all patterns of the data, as they are tried."""
    return tuple(sorted({source for _, patterns in data_patterns() for source in patterns.sources}))


def _written(node: object, keys: tuple[str, ...]) -> Iterator[str]:
    """Yield the texts that stand at these keys of some YAML."""
    if isinstance(node, dict):
        for key, value in node.items():
            if key in keys:
                yield from [value] if isinstance(value, str) else value
            else:
                yield from _written(value, keys)
    elif isinstance(node, list):
        for each in node:
            yield from _written(each, keys)


def test_every_pattern_of_the_data_is_looked_at() -> None:
    """What stands in the YAML is what was found in the explainer; a pattern under a new key would be missed there."""
    clues, rules = read_yaml(data_path("wordings.yaml")), read_yaml(data_path("diagnosis.yaml"))["rules"]
    on_demand = [read_yaml(data_path(name)) for name in ("fixed_texts.yaml", "programs.yaml")]
    written = {
        *_written([clues, *on_demand], ("words", "noise", "application_token", "now_and_then")),
        *_written(rules, ("words", "host", "issuer")),
    }
    assert len(written) > 1000
    assert {source for pattern in written for source in Patterns([pattern]).sources} <= set(branches())


def test_no_pattern_of_the_data_repeats_without_an_end() -> None:
    assert [source for source in branches() if without_end(source, re.IGNORECASE)] == []


def test_no_pattern_of_the_data_takes_more_than_linear_time() -> None:
    """Each on repetitions of its own words, and of the few signs that most of them have."""
    bad = {}
    for source in branches():
        work = re.compile(source, re.IGNORECASE).search
        units = [*units_of(source, re.IGNORECASE)][:6]
        if worse := superlinear(work, 800, (*units, "a ", "1.")):
            bad[source] = worse
    assert bad == {}


# --- whatever reads strangers' words ---

EXPLAINER = load_explainer(load_catalog())
HEAD = "From: MAILER-DAEMON\nTo: a\nSubject: b\n"
GUIDE = Guide("x", "{provider}", (), "2026-11-30", (), ("{host} {username}",), (), ())
SYMPTOM = Symptom(stage=Stage.AUTH, fault=Fault.REJECTED, code=535)


def _reply(text: str) -> None:
    parser = ReplyParser(Redactor(Secret("aaaaaaaaaaaa")))
    with suppress(SmtpError):
        parser.feed(f"535-{text}".encode("utf-8", "replace"))
        while parser.next_reply() is not None:
            pass


def _symptom(text: str) -> Symptom:
    return Symptom(
        stage=Stage.AUTH, fault=Fault.REJECTED, code=535, words=shown(text), username=shown(text), sender=shown(text)
    )


def _offers(text: str) -> None:
    with suppress(AutoconfigError):
        read_offers(text.encode("utf-8", "replace"), Address("ana", "firm.example"))


def _typed(parse: Callable[[str], object], text: str) -> None:
    with suppress(InputError):
        parse(text)


READERS: Mapping[str, Callable[[str], object]] = {
    "explain": EXPLAINER.explain_text,
    "explain, a reply": lambda text: EXPLAINER.explain_text(f"535 5.7.8 {text}"),
    "explain, client and provider": lambda text: EXPLAINER.explain_text("535 no", client=text, provider=text),
    "bounce, a header": lambda text: read_bounce(f"{HEAD}X: {text}"),
    "bounce, a content type": lambda text: read_bounce(f"{HEAD}Content-Type: multipart/mixed; {text}\n\nx"),
    "bounce, a body": lambda text: read_bounce(f"{HEAD}\n{text}"),
    "bounce, a body in base64": lambda text: read_bounce(f"{HEAD}Content-Transfer-Encoding: base64\n\n{text}"),
    "bounce, a report": lambda text: read_bounce(f"Final-Recipient: {text}\nDiagnostic-Code: {text}"),
    "letter": lambda text: [part.text() for part in read_message(text).parts],
    "letter, its recipients": lambda text: recipient_blocks(
        "\n".join(f"<u{number}@x.example>" for number in range(len(text) // 20))
    ),
    "letter, answers about its recipients": lambda text: recipient_blocks(
        "\n".join(f"<u{number}@x.example>\n\n550 u{number}@x.example" for number in range(len(text) // 40))
    ),
    "letter, parts": lambda text: read_message(f"Content-Type: multipart/mixed; boundary=b\n\n--b\n{text}"),
    "letter, encoded words": decoded,
    "letter, how it begins": lambda text: begins_with_header(text, len(text)),
    "template, text": lambda text: check_template(text.encode("utf-8", "replace")),
    "template, links": lambda text: check_template(
        f"http://a.test/{text} http://b.test {text}".encode("utf-8", "replace")
    ),
    "template, HTML": lambda text: check_template(f"<p><a href='x'>{text}".encode("utf-8", "replace")),
    "template, a tag": lambda text: check_template(f"<a {text}".encode("utf-8", "replace")),
    "template, a header": lambda text: check_template(f"List-Unsubscribe: {text}\n\nx".encode("utf-8", "replace")),
    "template, a message": lambda text: check_template(
        f"Content-Type: text/html\n\n<a>{text}".encode("utf-8", "replace")
    ),
    "HTML": read_html,
    "plain text": plain_text,
    "a line of IIS": lambda text: list(read_iis(f"192.0.2.1 OutboundConnectionResponse SMTPSVC1 {text}")),
    "a line of Exim": lambda text: read_mail_log(f"H=a {text} rejected RCPT <{text}>: {text}"),
    "replies": lambda text: find_replies(f"550 {text}"),
    "secrets": without_secrets,
    "shown": lambda text: shown(text, len(text)),
    "visible": visible_text,
    "secret": lambda text: Redactor(Secret("aaaaaaaaaaaa"), "ana").scrub(text),
    "reply": _reply,
    "advice": lambda text: Placeholders(SYMPTOM, {}, {}).fill(text),
    "a fact in advice": lambda text: Placeholders(_symptom(text), {"host": None}, {}).fill("{host} {server_said}"),
    "guide": lambda text: fill(GUIDE, provider=text, host=text, username=text),
    "autoconfig": _offers,
    "autoconfig, a name": lambda text: _offers(f"<clientConfig><emailProvider><outgoingServer><hostname>{text}"),
    "names": owner_of,
    "address": lambda text: _typed(Address.parse, text),
    "address, a domain": lambda text: _typed(Address.parse, f"a@{text}"),
    "host": lambda text: _typed(parse_host, text),
    "web address": lambda text: _typed(parse_url, f"https://{text}"),
    "paragraph": paragraph,
}
COSTLY = 4e-6
"""Seconds a character that a text may cost without a second look: what is quadratic costs far more at this size."""


@pytest.mark.parametrize("name", READERS)
def test_no_reader_takes_more_than_linear_time(name: str) -> None:
    assert superlinear(READERS[name], 2000, cheap=COSTLY) == []


@pytest.mark.parametrize("name", READERS)
def test_no_reader_takes_more_steps_than_there_are_signs(name: str) -> None:
    """Lines of our own code that are run, for a text and for one of four times the length."""
    bad = {}
    for unit in UNITS:
        short, long = (steps(READERS[name], repeated(unit)(size)) for size in (500, 2000))
        if long > 8 * short + 1000:
            bad[unit] = (short, long)
    assert bad == {}


def steps(work: Callable[[str], object], text: str) -> int:
    """Return how many lines of this package are run to read a text."""
    counted = 0
    ours: dict[str, bool] = {}

    def line(frame: FrameType, event: str, argument: object) -> Any:
        nonlocal counted
        counted += event == "line"
        return line

    def call(frame: FrameType, event: str, argument: object) -> Any:
        name = frame.f_code.co_filename
        if name not in ours:
            ours[name] = Path(name).is_relative_to(PACKAGE)
        return line if ours[name] else None

    before = sys.gettrace()
    sys.settrace(call)
    try:
        work(text)
    finally:
        sys.settrace(before)
    return counted
