"""Reads the values of a data file strictly: keys are asked for by name and type; what nobody asks for is refused."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from enum import StrEnum
from pathlib import Path
from typing import Any, TypeVar

from smtp_wizard.engine.base.data_files import DataError, DataFile, decoded, parse_yaml, read_data_file
from smtp_wizard.engine.base.records import parse_day
from smtp_wizard.engine.base.shown import phrase, shown

T = TypeVar("T")
E = TypeVar("E", bound=StrEnum)
Trail = tuple[str | int, ...]
"""The keys and list positions that lead from the top of a file to a value."""

UNDATED = "undated"
"""Stands where a page carries no date of its own."""
_YEAR_OR_MONTH = re.compile(r"[0-9]{4}(?:-(?:0[1-9]|1[0-2]))?")


class YamlDocument:
    """One data file. Knows how to say where in it something is wrong."""

    def __init__(self, path: Path, *, source: bytes | None = None) -> None:
        """Read the file. `source`: what stands in it, where it is not the product's own and nobody has looked at it.

        Line ends and what cannot be seen are then refused in texts. Raises `DataError`.
        """
        self.path = path
        self.visible = source is not None
        self._source = source
        if source is None:
            self.content = read_data_file(path)
        else:
            self.content = DataFile(parse_yaml(decoded(source, path.name), path.name))
        self._value: object = self.content.value

    @property
    def root(self) -> Node:
        """The mapping at the top. Raises `DataError` where the file holds something else."""
        return Node(self, self._value, ())

    def error(self, trail: Trail, message: str) -> DataError:
        """Return the error to raise for what stands at `trail`: file, line, column, the way to it, and the message."""
        line, column = self._position(trail)
        label = ": ".join(filter(None, (".".join(self._names(trail)), message)))
        return DataError(phrase("{}, line {}, column {}: {}", shown(self.path.name), line, column, shown(label)))

    def _names(self, trail: Trail) -> list[str]:
        """Write the trail for a person: an entry of a list is called by its id where it has one."""
        names: list[str] = []
        here: Any = self._value
        for key in trail:
            here = _step(here, key)
            own = here.get("id") if isinstance(key, int) and isinstance(here, Mapping) else None
            names.append(shown(str(own if own is not None else key + 1 if isinstance(key, int) else key), 60))
        return names

    def _position(self, trail: Trail) -> tuple[int, int]:
        """Find line and column of the deepest part of the trail that exists. Parses the file again: errors are rare."""
        import yaml

        # The parser that read the file, since the one in C and the one in Python disagree about a few characters.
        loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
        source = self.path.read_bytes() if self._source is None else self._source
        node: Any = yaml.compose(source.decode("utf-8"), Loader=loader)
        mark = node.start_mark if node is not None else None
        for key in trail:
            if isinstance(node, yaml.SequenceNode) and isinstance(key, int):
                node = node.value[key]
                mark = node.start_mark
                continue
            pairs = node.value if isinstance(node, yaml.MappingNode) else []
            pair = next((pair for pair in pairs if pair[0].value == str(key)), None)
            if pair is None:
                break
            mark, node = pair[0].start_mark, pair[1]
        return (mark.line + 1, mark.column + 1) if mark is not None else (1, 1)


class Node:
    """One mapping of a data file, read key by key. `read` refuses the keys that were not asked for."""

    __slots__ = ("_asked", "_document", "_values", "trail")

    def __init__(self, document: YamlDocument, value: object, trail: Trail) -> None:
        if not isinstance(value, dict):
            raise document.error(trail, f"must be a mapping (key: value), not {_kind(value)}")
        self._document = document
        self._values: dict[str, object] = value
        self._asked: set[str] = set()
        self.trail = trail

    @property
    def worked_out(self) -> Mapping[str, Any]:
        """What was worked out of the file's texts when it was compiled, by the text."""
        return self._document.content.worked_out

    def read(self, build: Callable[[Node], T]) -> T:
        """Build something of this mapping; then refuse the keys that `build` did not ask for."""
        built = build(self)
        for key in self._values:
            if key not in self._asked:
                known = ", ".join(sorted(self._asked))
                raise self.error(key, f"is not a key that is known here (known: {known})")
        return built

    def error(self, key: str | None, message: str) -> DataError:
        """Return the error to raise about a key of this mapping, or about the mapping itself."""
        return self._document.error(self.trail if key is None else (*self.trail, key), message)

    def has(self, key: str) -> bool:
        """Is the key there, with a value other than null?"""
        self._asked.add(key)
        return self._values.get(key) is not None

    def is_text(self, key: str) -> bool:
        """Whether text stands at the key, and not a mapping or a list."""
        self._asked.add(key)
        return isinstance(self._values.get(key), str)

    def keys(self) -> tuple[str, ...]:
        """The keys that stand in the file, in its order: for mappings whose keys are names."""
        return tuple(self._values)

    def table(self) -> dict[str, Node]:
        """The mappings in it, by their names."""
        return {name: self.child(name) for name in self.keys()}

    def text(self, key: str) -> str:
        """The text at a key that must be there."""
        self._asked.add(key)
        value = self._values.get(key)
        if type(value) is str and value and not value.isspace() and not self._document.visible:
            return value  # thousands are asked for at each start
        return self._text(key, self._required(key))

    def text_or(self, key: str, default: str = "") -> str:
        """The text at a key that may be missing."""
        if self._values.get(key) is None:
            self._asked.add(key)
            return default
        return self.text(key)

    def maybe_text(self, key: str) -> str | None:
        """The text at a key, or None where it is missing or null."""
        return self.text(key) if self.has(key) else None

    def texts(self, key: str) -> tuple[str, ...]:
        """A list of texts; empty where the key is missing."""
        return tuple(self._text(key, item, at) for at, item in enumerate(self._list(key)))

    def one_or_more(self, key: str) -> tuple[str, ...]:
        """One text or whole number, or a list of them that is not empty; a number as it is written."""
        value = self._required(key)
        items = value if isinstance(value, list) else [value]
        if not items:
            raise self.error(key, "must not be an empty list")
        return tuple(str(item) if type(item) is int else self._text(key, item) for item in items)

    def date(self, key: str) -> str:
        """A date as year, year-month or year-month-day, or 'undated'."""
        value = self.text(key)
        if value == UNDATED or _YEAR_OR_MONTH.fullmatch(value):
            return value
        try:
            parse_day(value)
        except ValueError:
            raise self.error(key, f"must be a date such as 2026-11-23, or {UNDATED}") from None
        return value

    def maybe_date(self, key: str) -> str | None:
        """As `date`; None where the key is missing or null."""
        return self.date(key) if self.has(key) else None

    def whole(self, key: str) -> int:
        """The whole number at a key that must be there."""
        return self._whole(key, self._required(key))

    def maybe_whole(self, key: str) -> int | None:
        """The whole number at a key, or None where it is missing or null."""
        return self.whole(key) if self.has(key) else None

    def wholes(self, key: str) -> tuple[int, ...]:
        """A list of whole numbers; empty where the key is missing."""
        return tuple(self._whole(key, item) for item in self._list(key))

    def flag(self, key: str, default: bool) -> bool:
        """true or false."""
        if not self.has(key):
            return default
        value = self._values[key]
        if not isinstance(value, bool):
            raise self.error(key, f"must be true or false, not {_kind(value)}")
        return value

    def choice(self, key: str, kind: type[E]) -> E:
        """One word of an enum, at a key that must be there."""
        value = self.text(key)
        try:
            return kind(value)
        except ValueError:
            raise self.error(key, f"'{shown(value, 60)}' is none of: {', '.join(kind)}") from None

    def child(self, key: str) -> Node:
        """The mapping at a key that must be there."""
        return Node(self._document, self._required(key), (*self.trail, key))

    def maybe_child(self, key: str) -> Node | None:
        """The mapping at a key, or None where it is missing or null."""
        return self.child(key) if self.has(key) else None

    def children(self, key: str) -> tuple[Node, ...]:
        """A list of mappings; empty where the key is missing."""
        return tuple(Node(self._document, item, (*self.trail, key, at)) for at, item in enumerate(self._list(key)))

    def _required(self, key: str) -> object:
        if not self.has(key):
            raise self.error(None, f"the key '{key}' is missing")
        return self._values[key]

    def _list(self, key: str) -> list[object]:
        value = self._values[key] if self.has(key) else []
        if not isinstance(value, list):
            raise self.error(key, f"must be a list, not {_kind(value)}")
        return value

    def _text(self, key: str, value: object, at: int | None = None) -> str:
        trail = (*self.trail, key) if at is None else (*self.trail, key, at)
        if isinstance(value, str) and value.strip():
            if self._document.visible and not value.isprintable():
                raise self._document.error(trail, "must be one line, without characters that cannot be seen")
            return value
        if isinstance(value, str):
            raise self._document.error(trail, "must not be empty")
        raise self._document.error(trail, f"must be text, not {_kind(value)}: put it in quotes")

    def _whole(self, key: str, value: object) -> int:
        if isinstance(value, bool) or not isinstance(value, int):
            raise self.error(key, f"must be a whole number, not {_kind(value)}")
        return value


class LazyTable(Mapping[str, T]):
    """Mappings of a file by their names, each read when it is asked for."""

    def __init__(self, nodes: Mapping[str, Node], read: Callable[[Node, str], T]) -> None:
        self._nodes = nodes
        self._read = read
        self._found: dict[str, T] = {}

    def __getitem__(self, key: str) -> T:
        if key not in self._found:
            self._found[key] = self._read(self._nodes[key], key)
        return self._found[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self._nodes)

    def __len__(self) -> int:
        return len(self._nodes)


def _step(value: Any, key: str | int) -> Any:
    """Follow one part of a trail; None where it leads nowhere."""
    if isinstance(value, Mapping):
        return value.get(key)
    return value[key] if isinstance(value, list) and isinstance(key, int) else None


def _kind(value: object) -> str:
    """What a value is, in the words of a person who edits YAML."""
    names = {dict: "a mapping", list: "a list", str: "text", bool: "true/false", int: "a number", float: "a fraction"}
    return names.get(type(value), "nothing")
