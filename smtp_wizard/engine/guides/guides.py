"""Guides: the prose of the product, one Markdown file a guide under `data/guides/`.

A file looks right in any Markdown viewer and is read strictly here. Its form:

    ---
    id: sample                      the file's name without .md
    paths:                          access paths it explains, provider/path; may be left out
      - provider/path
    checked: 2026-11-23             the day when its words were last compared with the sources
    minutes: 4                      may be left out
    retired: 2022-05-30             only where this way is gone: since when
    leads_to: another-guide         where to go on; needed where `retired` stands
    sources:
      - title: What was read (date)
        url: https://example.com/   left out where the source has no public address
    ---

    # The title

    Paragraphs of introduction.

    1. One action. A web address stands in full between angle brackets: <https://example.com/>
       - proves: auth
       - then: What the article called it.
    2. The next action.

    Closing paragraphs.

Inside a paragraph only plain text, `code`, web addresses and the slots of `SLOTS` are used: whatever else Markdown
knows is refused, since the readers (a pane, a terminal, a question-and-answer line) could not all show it.
"""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING

from smtp_wizard.engine.base.data_files import DataError, data_path, parse_yaml
from smtp_wizard.engine.base.endpoint import Security
from smtp_wizard.engine.base.errors import ShownError
from smtp_wizard.engine.base.records import parse_day
from smtp_wizard.engine.base.shown import phrase, shown
from smtp_wizard.engine.base.stages import Stage
from smtp_wizard.engine.guides.dates import date_words
from smtp_wizard.engine.lazy_dataclass import dataclass

if TYPE_CHECKING:
    from markdown_it.tree import SyntaxTreeNode

SLOTS: Mapping[str, str] = MappingProxyType(
    {
        "provider": "your provider",
        "host": "your provider's outgoing server",
        "port": "587 or 465",
        "security": "SSL/TLS or STARTTLS",
        "username": "your full e-mail address",
        "address": "your e-mail address",
    }
)
"""What `{name}` in a guide stands for, and the words that are shown while its value is not known."""

WIDTH = 78
"""Columns of a guide in a terminal of 80."""


@dataclass(frozen=True, slots=True)
class GuideStep:
    """One action of a guide."""

    number: int
    text: str
    """Plain text; web addresses in full."""
    urls: tuple[str, ...] = ()
    """The web addresses in `text`, in their order."""
    proves: Stage | None = None
    """The stage of a check that passes only when this step was done right."""
    then: str = ""
    """What the article called it, where the provider's words have changed; empty where there is nothing to say."""


@dataclass(frozen=True, slots=True)
class Guide:
    """How one thing is done, step by step."""

    id: str
    title: str
    paths: tuple[str, ...]
    """Access paths that it explains, each `provider/path`."""
    checked: str
    """ISO date of the last comparison with the sources."""
    sources: tuple[tuple[str, str], ...]
    """Title and web address; the address is empty where there is none."""
    intro: tuple[str, ...]
    steps: tuple[GuideStep, ...]
    outro: tuple[str, ...]
    retired: str = ""
    """ISO date since when this way is gone; empty while it works."""
    leads_to: str | None = None
    """The guide to go on with."""
    minutes: int | None = None


_LONGEST_ID = 60
"""Characters of a name that are looked at where there is no guide of it."""


class UnknownGuide(ShownError, LookupError):
    """There is no guide of this name. The text is one sentence."""


class Guides:
    """The guides of one folder, each read when it is first asked for."""

    def __init__(self, folder: Path | None = None) -> None:
        """Take the folder; the product's own by default."""
        self._folder = data_path("guides") if folder is None else folder
        self._read: dict[str, Guide] = {}

    def ids(self) -> tuple[str, ...]:
        """Return the names of all guides, sorted. No file is opened."""
        return tuple(sorted(path.stem for path in self._folder.glob("*.md")))

    def get(self, guide_id: str) -> Guide:
        """Return one guide. Raises `UnknownGuide`, or `DataError` naming file and line."""
        if guide_id not in self._read:
            path = self._path(guide_id)
            self._read[guide_id] = parse_guide(_text_of(path), path.name)
        return self._read[guide_id]

    def all(self) -> dict[str, Guide]:
        """Return every guide by its name. Raises `DataError`, also where one leads to a guide that is not there."""
        guides = {guide_id: self.get(guide_id) for guide_id in self.ids()}
        for guide in guides.values():
            if guide.leads_to is not None and guide.leads_to not in guides:
                path = self._path(guide.id)
                line = _line_of_key(_text_of(path), "leads_to")
                raise _error(path.name, line, f"leads to '{guide.leads_to}', which is no guide")
        return guides

    def raw(self, guide_id: str) -> str:
        """Return the Markdown of a guide as it stands in its file, open slots in words. Raises `UnknownGuide`."""
        return _fill_text(_text_of(self._path(guide_id)), SLOTS)

    def markdown(self, guide_id: str) -> str:
        """Return a guide as Markdown for people: without its head, and what only the program reads.

        Raises `UnknownGuide`, `DataError`.
        """
        _, body, _ = _split(self.raw(guide_id), f"{guide_id}.md")
        parts = [_REMARKS.sub(lambda found: f"   ({found[2]})\n" if found[1] == "then" else "", body).strip("\n")]
        guide = self.get(guide_id)
        if guide.leads_to is not None:
            parts.append(f"Go on with the guide: {guide.leads_to}")
        parts.append("\n".join(["Sources:", "", *(f"- {f'{title} {url}'.rstrip()}" for title, url in guide.sources)]))
        return "\n\n".join(parts) + "\n"

    def _path(self, guide_id: str) -> Path:
        # Looked up among the names that exist, so that no name can lead out of the folder.
        if guide_id not in self.ids():
            words = phrase("There is no guide called '{}'.", shown(guide_id, _LONGEST_ID))
            meant = self._meant(guide_id)
            raise UnknownGuide(phrase("{} Did you mean '{}'?", words, shown(meant)) if meant else words)
        return self._folder / f"{guide_id}.md"

    def _meant(self, typed: str) -> str:
        """Return the guide whose id, or the first word of it, is most like what was typed; '' where none is."""
        import difflib

        begun = {each.partition("-")[0]: each for each in sorted(self.ids(), reverse=True)}
        begun |= {each: each for each in self.ids()}
        close = difflib.get_close_matches(typed[:_LONGEST_ID].lower(), begun, n=1)
        return begun[close[0]] if close else ""


def load_guides(folder: Path | None = None) -> dict[str, Guide]:
    """Read all guides of a folder (the product's own by default). Raises `DataError` naming file and line."""
    return Guides(folder).all()


def fill(
    guide: Guide,
    *,
    provider: str = "",
    host: str = "",
    port: int | None = None,
    security: Security | None = None,
    username: str = "",
    address: str = "",
) -> Guide:
    """Return the guide with its slots filled. A value that is empty or unknown becomes the words of `SLOTS`."""
    given = {
        "provider": provider,
        "host": host,
        "port": "" if port is None else str(port),
        "security": "" if security is None else security.words,
        "username": username,
        "address": address,
    }
    words = {slot: shown(given[slot]) or unknown for slot, unknown in SLOTS.items()}
    return replace(
        guide,
        title=_fill_text(guide.title, words),
        intro=tuple(_fill_text(text, words) for text in guide.intro),
        steps=tuple(
            replace(step, text=_fill_text(step.text, words), then=_fill_text(step.then, words)) for step in guide.steps
        ),
        outro=tuple(_fill_text(text, words) for text in guide.outro),
    )


def as_text(guide: Guide, width: int = WIDTH) -> str:
    """Return a guide for a terminal: wrapped, steps numbered, each web address whole on a line of its own.

    Slots that are still open get the words of `SLOTS`. The text ends with a line end.
    """
    filled = fill(guide)
    blocks = [_wrap(filled.title, width), _wrap(_about(filled), width)]
    blocks += [_wrap(text, width) for text in filled.intro]
    digits = len(str(len(filled.steps)))
    blocks.append("\n".join(_step_text(step, width, digits) for step in filled.steps))
    blocks += [_wrap(text, width) for text in filled.outro]
    if filled.leads_to is not None:
        blocks.append(_wrap(f"Go on with the guide: {filled.leads_to}", width))
    blocks.append(_sources_text(filled.sources, width))
    return "\n\n".join(blocks) + "\n"


def parse_guide(text: str, name: str) -> Guide:
    """Parse one file. `name` is the file's name; it gives the id and stands in every error. Raises `DataError`."""
    front, body, offset = _split(text, name)
    keys = _Keys(parse_yaml(front, name), text, name)
    parts = _Body(name, offset).parse(body)
    guide = Guide(
        id=keys.same_as_file("id"),
        title=parts.title,
        paths=keys.paths("paths"),
        checked=keys.day("checked"),
        sources=keys.sources("sources"),
        intro=tuple(parts.intro),
        steps=tuple(parts.steps),
        outro=tuple(parts.outro),
        retired=keys.day("retired") if keys.has("retired") else "",
        leads_to=keys.text("leads_to") if keys.has("leads_to") else None,
        minutes=keys.minutes("minutes") if keys.has("minutes") else None,
    )
    if guide.retired and guide.leads_to is None:
        raise keys.error("retired", "a retired guide needs 'leads_to'")
    return guide


# --- to text ---


def _about(guide: Guide) -> str:
    words = [f"Checked {date_words(guide.checked)}."]
    if guide.minutes is not None:
        words.insert(0, "About 1 minute." if guide.minutes == 1 else f"About {guide.minutes} minutes.")
    if guide.retired:
        words.insert(0, f"This way is gone since {date_words(guide.retired)}.")
    return " ".join(words)


def _step_text(step: GuideStep, width: int, digits: int) -> str:
    label = f"{step.number:>{digits}}. "
    text = _wrap(step.text, width, label)
    if step.then:
        text += "\n" + _wrap(f"({step.then})", width, " " * len(label))
    return text


def _sources_text(sources: Sequence[tuple[str, str]], width: int) -> str:
    return "\n".join(["Sources:", *(_wrap(f"{title} {url}".rstrip(), width, "- ") for title, url in sources)])


def _wrap(text: str, width: int, label: str = "") -> str:
    """Wrap one paragraph behind a label; a web address is never broken and shares its line with no other word."""
    indent = " " * len(label)
    lines: list[str] = []
    for part in re.split(r"(https://\S+)", text):
        if part.startswith("https://"):
            lines.append(indent + part)
        elif part.strip():
            lines += textwrap.wrap(
                part.strip(),
                width,
                initial_indent=indent,
                subsequent_indent=indent,
                break_long_words=False,
                break_on_hyphens=False,
            )
    return label + "\n".join(lines)[len(label) :]


_SLOT = re.compile(r"\{([a-z]+)\}")


def _fill_text(text: str, words: Mapping[str, str]) -> str:
    # One pass: braces inside a value are never taken for a slot.
    return _SLOT.sub(lambda match: words.get(match[1], match[0]), text)


# --- from Markdown ---


def _error(name: str, line: int, why: str) -> DataError:
    return DataError(phrase("{}, line {}: {}", shown(name), line, shown(why)))


def _text_of(path: Path) -> str:
    try:
        return path.read_text("utf-8")
    except UnicodeDecodeError:
        raise DataError(phrase("{}: not UTF-8 text", shown(path.name))) from None


_REMARKS = re.compile(r"^ +- (proves|then): (.*(?:\n {5,}\S.*)*)\n", re.MULTILINE)
_FENCE = "---"


def _split(text: str, name: str) -> tuple[str, str, int]:
    """Return front matter, body, and how many lines stand before the body."""
    lines = text.split("\n")
    if lines[0] != _FENCE:
        raise _error(name, 1, "a guide begins with a line of three dashes and its front matter")
    try:
        end = lines.index(_FENCE, 1)
    except ValueError:
        raise _error(name, 1, "the front matter is not closed by a line of three dashes") from None
    # The empty first line keeps the line numbers of YAML's own errors true.
    front = "\n".join(["", *lines[1:end]])
    return front, "\n".join(lines[end + 1 :]), end + 1


def _line_of_key(text: str, key: str) -> int:
    """Return the line where a key of the front matter stands, or 1."""
    for number, line in enumerate(text.split("\n"), 1):
        if line.startswith(f"{key}:"):
            return number
    return 1


class _Keys:
    """The front matter, taken key by key."""

    known = frozenset({"id", "paths", "checked", "minutes", "retired", "leads_to", "sources"})

    def __init__(self, data: object, text: str, name: str) -> None:
        self._text = text
        self._name = name
        if not isinstance(data, dict):
            raise _error(name, 1, "the front matter has no keys")
        self._data: dict[object, object] = data
        for key in data:
            if key not in self.known:
                raise self.error(str(key), f"the key '{shown(str(key), 40)}' is not known")

    def has(self, key: str) -> bool:
        return key in self._data

    def error(self, key: str, why: str) -> DataError:
        return _error(self._name, _line_of_key(self._text, key), why)

    def text(self, key: str) -> str:
        if key not in self._data:
            raise self.error(key, f"the key '{key}' is missing")
        value = self._data[key]
        if not isinstance(value, str) or not value.strip():
            raise self.error(key, f"'{key}' must be text")
        return value

    def same_as_file(self, key: str) -> str:
        value = self.text(key)
        if f"{value}.md" != self._name:
            raise self.error(key, f"'{key}' is '{shown(value, 60)}', but the file is called {self._name}")
        return value

    def day(self, key: str) -> str:
        value = self.text(key)
        if not _is_day(value):
            raise self.error(key, f"'{key}' must be a date such as 2026-11-23")
        return value

    def minutes(self, key: str) -> int:
        value = self._data[key]
        if not isinstance(value, int) or isinstance(value, bool) or not 1 <= value <= 240:
            raise self.error(key, f"'{key}' must be a whole number of minutes from 1 to 240")
        return value

    def paths(self, key: str) -> tuple[str, ...]:
        found: list[str] = []
        for item in self._list(key) if self.has(key) else ():
            if not isinstance(item, str) or not re.fullmatch(r"[a-z0-9-]+/[a-z0-9-]+", item):
                raise self.error(key, f"each of '{key}' must look like provider/path")
            found.append(item)
        return tuple(found)

    def sources(self, key: str) -> tuple[tuple[str, str], ...]:
        if not self.has(key):
            raise self.error(key, f"the key '{key}' is missing")
        return tuple(self._source(key, item) for item in self._list(key))

    def _source(self, key: str, item: object) -> tuple[str, str]:
        if not isinstance(item, dict) or not item.keys() <= {"title", "url"}:
            raise self.error(key, f"each of '{key}' has a title and may have a url, nothing else")
        title, url = item.get("title"), item.get("url", "")
        if not isinstance(title, str) or not title.strip() or not title.isprintable():
            raise self.error(key, f"each of '{key}' needs a title of one line")
        if not isinstance(url, str) or (url and not _is_web_address(url)):
            raise self.error(key, f"each url of '{key}' begins with https:// and names a host")
        return title, url

    def _list(self, key: str) -> Sequence[object]:
        value = self._data[key]
        if not isinstance(value, list) or not value:
            raise self.error(key, f"'{key}' must be a list with something in it")
        return value


def _is_day(value: str) -> bool:
    try:
        parse_day(value)
    except ValueError:
        return False
    return True


def _is_web_address(text: str) -> bool:
    return re.fullmatch(r"https://[a-z0-9-]+(?:\.[a-z0-9-]+)+(?:[/?#][!-~]*)?", text) is not None


class _Body:
    """The Markdown below the front matter, taken block by block."""

    def __init__(self, name: str, offset: int) -> None:
        self._name = name
        self._offset = offset
        self.title = ""
        self.intro: list[str] = []
        self.steps: list[GuideStep] = []
        self.outro: list[str] = []

    def parse(self, body: str) -> _Body:
        from markdown_it import MarkdownIt
        from markdown_it.tree import SyntaxTreeNode

        for block in SyntaxTreeNode(MarkdownIt("commonmark").parse(body)).children:
            self._take(block)
        if not self.title:
            raise _error(self._name, self._offset + 1, "a guide needs a title: a line that begins with '# '")
        if not self.steps:
            raise _error(self._name, self._offset + 1, "a guide needs steps: a numbered list")
        return self

    def _take(self, block: SyntaxTreeNode) -> None:
        if block.type == "heading" and block.tag == "h1" and not self.title:
            self.title, _ = self._words(block)
        elif not self.title:
            raise self._error(block, "the title comes first: a line that begins with '# '")
        elif block.type == "paragraph":
            (self.outro if self.steps else self.intro).append(self._words(block)[0])
        elif block.type == "ordered_list" and not self.steps:
            self.steps = [self._step(number, item) for number, item in enumerate(block.children, 1)]
        else:
            raise self._error(block, f"{_kind(block)}: a guide is one title, paragraphs and one list of steps")

    def _step(self, number: int, item: SyntaxTreeNode) -> GuideStep:
        if item.info != str(number):
            raise self._error(item, f"this step is numbered {item.info or 'nothing'}, but it is step {number}")
        shape = [child.type for child in item.children]
        if shape not in (["paragraph"], ["paragraph", "bullet_list"]):
            raise self._error(
                item, "a step is one paragraph, with its remarks ('- proves: ...', '- then: ...') below it"
            )
        text, urls = self._words(item.children[0])
        remarks = self._remarks(item.children[1]) if len(item.children) > 1 else {}
        proves = remarks.get("proves")
        return GuideStep(number, text, urls, None if proves is None else Stage(proves), remarks.get("then", ""))

    def _remarks(self, bullets: SyntaxTreeNode) -> dict[str, str]:
        found: dict[str, str] = {}
        for bullet in bullets.children:
            if [child.type for child in bullet.children] != ["paragraph"]:
                raise self._error(bullet, "a remark is one line")
            key, colon, value = self._words(bullet.children[0])[0].partition(": ")
            if not colon or key not in {"proves", "then"}:
                raise self._error(bullet, "a remark begins with 'proves: ' or 'then: '")
            if key in found:
                raise self._error(bullet, f"'{key}' stands twice at this step")
            if key == "proves" and value not in {stage.value for stage in Stage}:
                raise self._error(bullet, f"'{shown(value, 40)}' is not a stage of a check")
            found[key] = value
        return found

    def _words(self, block: SyntaxTreeNode) -> tuple[str, tuple[str, ...]]:
        """Return the plain text of a block and the web addresses in it."""
        inline = [node for child in block.children for node in child.children]
        pieces = [self._piece(node, block) for node in inline]
        text = "".join(pieces).strip()
        if not text:
            raise self._error(block, "there are no words here")
        if not text.isprintable():
            raise self._error(block, "a character that cannot be seen stands in the text")
        self._check_slots(text, block)
        urls = tuple(piece for piece, node in zip(pieces, inline, strict=True) if node.type == "link")
        for url in urls:
            # Copied from a terminal, it must not bring the full stop along.
            if not re.search(re.escape(url) + r"(?:\s|$)", text):
                raise self._error(block, f"after the web address {url} comes a blank or nothing")
        return text, urls

    def _piece(self, node: SyntaxTreeNode, block: SyntaxTreeNode) -> str:
        if node.type == "softbreak":
            return " "
        if node.type == "code_inline":
            return node.content
        if node.type == "text":
            if re.search(r"https?://|www\.", node.content):
                raise self._error(block, "a web address stands between < and >, and begins with https://")
            return node.content
        if node.type == "link" and node.info == "auto":
            url = "".join(child.content for child in node.children)
            if not _is_web_address(url):
                raise self._error(block, f"'{shown(url, 80)}' is not a full web address that begins with https://")
            return url
        raise self._error(block, f"{_kind(node)} is not used here: write plain text")

    def _check_slots(self, text: str, block: SyntaxTreeNode) -> None:
        for slot in _unknown_slots(text):
            raise self._error(block, f"{slot} is not a slot; known are {', '.join(SLOTS)}")

    def _error(self, node: SyntaxTreeNode, why: str) -> DataError:
        line = node.map[0] + 1 if node.map else 1
        return _error(self._name, self._offset + line, why)


def _kind(node: SyntaxTreeNode) -> str:
    return f"'{node.type.replace('_', ' ')}'"


def _unknown_slots(text: str) -> Iterator[str]:
    rest = _SLOT.sub(lambda match: "" if match[1] in SLOTS else match[0], text)
    yield from (shown(match[0], 40) for match in re.finditer(r"\{[^{}]*\}?|\}", rest))
