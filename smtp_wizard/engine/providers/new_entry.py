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
    return (
        text if plain else _ESCAPED.sub(lambda found: f"\\u{ord(found[0]):04x}", json.dumps(text, ensure_ascii=False))
    )


_ESCAPED = re.compile(r"[\x7f-\x84\x86-\x9f\ud800-\udfff\ufeff\ufffe\uffff]")
"""What JSON has as it is, and YAML does not (YAML 1.2 section 5.1)."""


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
    yield f"- id: {scalar(new.id)}"
    yield f"  name: {scalar(new.name)}"
    yield f"  kind: {new.kind.value}"
    yield "  status: active"
    if new.domains:
        yield f"  domains: {_list(new.domains)}"
    if new.mx:
        yield f"  mx: {{endings: {_list(new.mx)}{_mx_fact(new)}}}"
    yield "  endpoints:"
    for server in new.servers:
        endpoint = server.endpoint
        yield f"    - {{host: {scalar(endpoint.host)}, port: {endpoint.port}, security: {endpoint.security.value},"
        note = f", note: {scalar(f'{server.answered} ({new.day})')}" if server.answered else ""
        yield f"       {_server_fact(new, endpoint).removeprefix(', ')}{note}}}"
    form = new.username_form or UsernameForm.FULL_ADDRESS
    yield f"  username: {{form: {form.value}{_username_fact(new)}}}"
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
    if new.source is not None and _fact(new) not in _facts(new):
        yield f"  sources: [{scalar(new.source.id)}]"  # the file has no source that nothing names


def _facts(new: NewEntry) -> tuple[str, ...]:
    servers = (_server_fact(new, each.endpoint) for each in new.servers)
    return (*servers, *((_mx_fact(new),) if new.mx else ()), _username_fact(new))


def _fact(new: NewEntry) -> str:
    """Who says so, since when, and how far that is believed."""
    if new.source is None:
        return f", as_of: {new.day}"
    return f", source: {scalar(new.source.id)}, as_of: {new.day}, confidence: {new.source.kind}"


_UNKNOWN = ", confidence: unknown"


def _server_fact(new: NewEntry, endpoint: Endpoint) -> str:
    """The page, where the sentences that were quoted from it name the host and its port; else that it answered."""
    if new.source is None or _names_server(new.source.says, endpoint):
        return _fact(new)
    return f", source: {scalar(_answers_id(new))}, as_of: {new.day}, confidence: own"


def _mx_fact(new: NewEntry) -> str:
    """The page, where its sentences about MX hosts name every ending; else that the endings were given."""
    if new.source is None or all(_names_mail_host(new.source, ending) for ending in new.mx):
        return _fact(new)
    return _given_fact(new)


def _names_mail_host(page: EntrySource, ending: str) -> bool:
    return any(
        f".{name.strip('.-')}".lower().endswith(f".{ending}".lower())
        for each in page.says
        if re.search(r"\bMX\b", each)
        for name in _NAMES.findall(each)
    )


_NAMES = re.compile(r"[\w.-]+")


def _username_fact(new: NewEntry) -> str:
    """The page, where a sentence of it speaks of the user name; else that the form was given, if it was."""
    if new.source is None:
        return _fact(new)
    if new.username_form is None:
        return _UNKNOWN
    return _fact(new) if any(_USER_NAME.search(each) for each in new.source.says) else _given_fact(new)


_USER_NAME = re.compile(r"\b(user ?-?name|user|login|sign in|e-?mail address)\b", re.IGNORECASE)


def _given_fact(new: NewEntry) -> str:
    """Somebody said it who made the entry."""
    return f", source: {scalar(_given_id(new))}, as_of: {new.day}, confidence: own"


def _given(new: NewEntry) -> tuple[str, ...]:
    """Return what no sentence of the page says, in words of our own; empty where nothing was given but what it says."""
    said: list[str] = []
    if new.mx and _mx_fact(new) == _given_fact(new):
        said.append(f"MX hosts end in {', '.join(new.mx)}")
    if new.username_form is not None and _username_fact(new) == _given_fact(new):
        said.append(f"user name: {new.username_form.value}")
    return tuple(said)


def _answers_id(new: NewEntry) -> str:
    return f"{new.id}-answers"


def _given_id(new: NewEntry) -> str:
    return f"{new.id}-given"


def _list(texts: Sequence[str]) -> str:
    return f"[{', '.join(map(scalar, texts))}]"


def sources_text(new: NewEntry) -> str:
    """Return the lines of a shipped entry's sources for their table: each that a fact of it rests on.

    They are the page, how the servers answered, and what was given without a sentence of the page.
    """
    page = new.source
    assert page is not None, "a person's own file has no table of sources"
    heard = tuple(f"{each.endpoint.host}:{each.endpoint.port} {each.answered}" for each in new.servers)
    table = [
        f"  {scalar(page.id)}: {{kind: {page.kind}, seen: direct, date: {new.day}, title: {scalar(page.title)},\n"
        f"    url: {json.dumps(page.url)}{_says(page.says)}}}\n",
        _own_source(new, _answers_id(new), f"How the servers of {new.name} answered, without a password", heard),
    ]
    if given := _given(new):
        table.append(_own_source(new, _given_id(new), f"Given for {new.name} when its entry was made", given))
    return "".join(table)


def _own_source(new: NewEntry, source_id: str, title: str, says: Sequence[str]) -> str:
    return f"  {scalar(source_id)}: {{kind: own, seen: direct, date: {new.day}, title: {scalar(title)}{_says(says)}}}\n"


def _says(sentences: Sequence[str]) -> str:
    return f", says: {_list(sentences)}" if sentences else ""


def with_addition(text: str, key: str, addition: str) -> str:
    """Return a file's text with an addition behind all that stands at a key of its top level.

    The key is added where it is not there. Raises `InputError` where what stands there is written in one line.
    """
    lines = _LINES.findall(text)
    ended = re.search(r"\r\n|\r|\n", lines[0]) if lines else None
    newline = ended[0] if ended is not None else "\n"
    addition = addition.replace("\n", newline)
    if lines and not lines[-1].endswith(("\n", "\r")):
        lines[-1] += newline
    named = (at for at, line in enumerate(lines) if _key_of(line) == key)
    start = next(named, None)
    if start is None:
        return "".join([*lines, f"{key}:{newline}", addition])
    rest = lines[start].partition(":")[2].partition(" #")[0].strip()
    if rest in ("[]", "{}", "~", "null"):
        lines[start] = f"{key}:{newline}"
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
    return "".join(f"{' ' * depth}{line[2:]}" for line in _LINES.findall(addition))


def _names_server(says: Sequence[str], endpoint: Endpoint) -> bool:
    """Whether sentences name a server: its host, whole, and its port, as the number of a port and of nothing else."""
    hosts = {each.strip(".").lower() for sentence in says for each in _HOST.findall(sentence)}
    ports = {port for sentence in says if not _REFUSES.search(sentence) for port in _ports(sentence, endpoint.host)}
    return endpoint.host in hosts and endpoint.port in ports


def _ports(sentence: str, host: str) -> Iterator[int]:
    """Yield the numbers that a sentence calls ports, and those behind the host and a colon."""
    for listed in _PORTS.findall(sentence):
        yield from map(int, re.findall(r"\d{1,5}", listed))
    yield from (int(port) for name, port in _HOST_AND_PORT.findall(sentence) if name.lower() == host)


_HOST = re.compile(r"[\w.-]{1,253}")
_HOST_AND_PORT = re.compile(r"([\w.-]{1,253}):(\d{1,5})\b")
_PORTS = re.compile(
    r"\bports?\b(?:[ :|=()]|[a-z]{1,20}\b){0,12}((?:\d{1,5}(?: or |, ?| and |/)){0,4}\d{1,5})\b", re.IGNORECASE
)
_REFUSES = re.compile(r"\b(?:not|never|no longer)\b", re.IGNORECASE)
"""A sentence that forbids a port does not name it."""
