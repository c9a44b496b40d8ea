"""A new entry for a file of providers, as text: for a person's own, or for the one that the program ships.

The file is written by people, with comments and an order of their own: the entry is put behind the others, and nothing
else is touched. Pure; whoever writes the file reads it again first.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from smtp_wizard.engine.base.endpoint import Endpoint
from smtp_wizard.engine.base.errors import InputError
from smtp_wizard.engine.base.shown import phrase, shown
from smtp_wizard.engine.providers.provider import ProviderKind, UsernameForm


@dataclass(frozen=True, slots=True)
class EntrySource:
    """The page that says what an entry says; the shipped file has nothing without one."""

    id: str
    kind: str
    """'official' or 'community'."""
    title: str
    url: str
    says: tuple[str, ...]
    """Its sentences, word for word."""


@dataclass(frozen=True, slots=True)
class CheckedServer:
    """A server of the entry, and how it answered."""

    endpoint: Endpoint
    answered: str
    """What it said, in a few words; '' where it was not tried."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NewEntry:
    """What is known of a provider that is added."""

    id: str
    name: str
    kind: ProviderKind
    servers: tuple[CheckedServer, ...]
    """Best first."""
    domains: tuple[str, ...] = ()
    mx: tuple[str, ...] = ()
    username_form: UsernameForm | None = None
    """None where nobody said: then it is taken to be the address, and the shipped file says that it is not known."""
    day: str
    """Today (ISO 8601)."""
    source: EntrySource | None = None
    """None for a person's own file, which is its own source."""


_PLAIN = re.compile(r"[A-Za-z][A-Za-z0-9 ./_-]*[A-Za-z0-9]|[A-Za-z]")
_WORDS_OF_YAML = frozenset({"y", "n", "yes", "no", "on", "off", "true", "false", "null"})


def scalar(text: str) -> str:
    """Return a text as YAML has it: as it is where that says the same, else in quotes (JSON's are YAML's, too)."""
    plain = _PLAIN.fullmatch(text) and text.lower() not in _WORDS_OF_YAML
    return text if plain else json.dumps(text, ensure_ascii=False)


def identifier(name: str) -> str:
    """Return an id made of a name: small letters and digits, with single hyphens. Raises `InputError` for none."""
    found = "-".join(re.findall(r"[a-z0-9]+", name.lower()))
    if not found:
        raise InputError(phrase("No id can be made of '{}': give one with --id, in small letters.", shown(name, 60)))
    return found


def is_identifier(text: str) -> bool:
    """Whether a text can be an id: small letters and digits, with single hyphens between them."""
    return re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", text) is not None


def entry_text(new: NewEntry) -> str:
    """Return the entry, two blanks in from the left."""
    return "\n".join(f"  {line}" for line in _entry_lines(new)) + "\n"


def _entry_lines(new: NewEntry) -> Iterator[str]:
    fact = _fact(new)
    yield f"- id: {scalar(new.id)}"
    yield f"  name: {scalar(new.name)}"
    yield f"  kind: {new.kind.value}"
    yield "  status: active"
    if new.domains:
        yield f"  domains: {_list(new.domains)}"
    if new.mx:
        yield f"  mx: {{endings: {_list(new.mx)}{fact}}}"
    yield "  endpoints:"
    for server in new.servers:
        endpoint = server.endpoint
        yield f"    - {{host: {scalar(endpoint.host)}, port: {endpoint.port}, security: {endpoint.security.value},"
        note = f", note: {scalar(f'{server.answered} ({new.day})')}" if server.answered else ""
        yield f"       {_server_fact(new, endpoint).removeprefix(', ')}{note}}}"
    form = new.username_form or UsernameForm.FULL_ADDRESS
    believed = fact if new.username_form or new.source is None else _UNKNOWN
    yield f"  username: {{form: {form.value}{believed}}}"
    if new.source is not None:
        yield from _shipped_lines(new)
    yield f"  checked: '{new.day}'"


def _shipped_lines(new: NewEntry) -> Iterator[str]:
    """What the shipped file wants of every entry: a way in, and a limit.

    The way is what the servers offered, which no page needs to say; nobody has looked for a limit.
    """
    yield "  paths:"
    yield "    - id: password"
    yield "      title: User name and password"
    yield "      summary: You type the user name and the password of the mailbox."
    yield "      status: works"
    yield "      auth: password"
    yield "      guide: basic"
    yield "      secret: {label: Password}"
    yield f"      sources: [{scalar(_answers_id(new))}]"
    yield "  limits:"
    yield f"    - {{what: messages, per: day{_UNKNOWN}}}"


def _fact(new: NewEntry) -> str:
    """Who says so, since when, and how far that is believed."""
    if new.source is None:
        return f", as_of: {new.day}"
    return f", source: {scalar(new.source.id)}, as_of: {new.day}, confidence: {new.source.kind}"


_UNKNOWN = ", confidence: unknown"


def _server_fact(new: NewEntry, endpoint: Endpoint) -> str:
    """The page, where a sentence that was quoted from it names the port; else that the server answered."""
    if new.source is None or any(str(endpoint.port) in re.findall(r"\d+", each) for each in new.source.says):
        return _fact(new)
    return f", source: {scalar(_answers_id(new))}, as_of: {new.day}, confidence: own"


def _answers_id(new: NewEntry) -> str:
    return f"{new.id}-answers"


def _list(texts: Sequence[str]) -> str:
    return f"[{', '.join(map(scalar, texts))}]"


def sources_text(new: NewEntry) -> str:
    """Return the lines of a shipped entry's sources for their table: the page, and how the servers answered."""
    page, own = new.source, f"How the servers of {new.name} answered, without a password"
    assert page is not None, "a person's own file has no table of sources"
    heard = tuple(f"{each.endpoint.host}:{each.endpoint.port} {each.answered}" for each in new.servers)
    return (
        f"  {scalar(page.id)}: {{kind: {page.kind}, seen: direct, date: {new.day}, title: {scalar(page.title)},\n"
        f"    url: {json.dumps(page.url)}{_says(page.says)}}}\n"
        f"  {scalar(_answers_id(new))}: {{kind: own, seen: direct, date: {new.day}, title: {scalar(own)}"
        f"{_says(heard)}}}\n"
    )


def _says(sentences: Sequence[str]) -> str:
    return f", says: {_list(sentences)}" if sentences else ""


def with_addition(text: str, key: str, addition: str) -> str:
    """Return a file's text with an addition behind all that stands at a key of its top level.

    The key is added where it is not there. Raises `InputError` where what stands there is written in one line.
    """
    lines = _LINES.findall(text)
    if lines and not lines[-1].endswith(("\n", "\r")):
        lines[-1] += "\n"
    named = (at for at, line in enumerate(lines) if _key_of(line) == key)
    start = next(named, None)
    if start is None:
        return "".join([*lines, f"{key}:\n", addition])
    rest = lines[start].partition(":")[2].partition(" #")[0].strip()
    if rest in ("[]", "{}", "~", "null"):
        lines[start] = f"{key}:\n"
    elif rest:
        raise InputError(phrase("What stands at '{}' is written in one line: nothing can be added.", shown(key)))
    end = next((at for at in range(start + 1, len(lines)) if re.match(r"[^\s#-]", lines[at])), len(lines))
    while end > start + 1 and (not lines[end - 1].strip() or lines[end - 1].startswith("#")):
        end -= 1  # blank lines, and the comment over the next key
    return "".join([*lines[:end], _as_deep(addition, lines[start + 1 : end]), *lines[end:]])


_LINES = re.compile(r"[^\r\n]*(?:\r\n|\r|\n)|[^\r\n]+")
"""Lines as a person's editor ends them. YAML knows more ends, and a text in quotes may have those in it."""


def _key_of(line: str) -> str:
    """Return the key of the top level that a line begins with, '' where it begins with none."""
    before, colon, _ = line.removeprefix("\ufeff").partition(":")  # some editors begin a file with this mark
    bare = before.rstrip(" \t")
    quoted = len(bare) > 1 and bare[0] == bare[-1] and bare[0] in "'\""
    return (bare[1:-1] if quoted else bare) if colon else ""


def _as_deep(addition: str, before: Sequence[str]) -> str:
    """Return the addition as far in as the entries before it."""
    first = next((line for line in before if line.strip() and not line.lstrip().startswith("#")), "  ")
    depth = len(first) - len(first.lstrip(" "))
    return "".join(f"{' ' * depth}{line[2:]}" for line in addition.splitlines(keepends=True))
