"""What every JSON document has: a name, by which its schema is asked for, and a version."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar

from smtp_wizard.engine.base.records import VERBATIM, Range, record_schema, write_record
from smtp_wizard.engine.lazy_dataclass import dataclass

Amount = Annotated[float, Range(0)]
"""A number that is never below nothing, such as milliseconds."""
Share = Annotated[float, Range(0, 1)]
"""From nothing to everything."""


class JsonDocument:
    """A record that is printed as one JSON document."""

    __slots__ = ()
    NAME: ClassVar[str]
    """The command, with a dash before a command below it. A change of form that breaks a reader makes version 2."""

    def to_json(self) -> dict[str, Any]:
        """Return it as `json.dumps` takes it."""
        return {"schema": f"smtp-wizard/{self.NAME}/1", **write_record(self)}

    def json_text(self, *, indent: int | None = 2, ascii_only: bool = True) -> str:
        """Return it as JSON text, without a line end."""
        import json

        return json.dumps(self.to_json(), indent=indent, ensure_ascii=ascii_only)

    @classmethod
    def json_schema(cls) -> dict[str, Any]:
        """Return its JSON Schema: an object that has all of its fields, and no other."""
        described = record_schema(cls)
        properties = {"schema": {"const": f"smtp-wizard/{cls.NAME}/1"}, **described["properties"]}
        return {**described, "properties": properties, "required": list(properties)}


@dataclass(frozen=True, slots=True)
class HeaderJson:
    """A header field of a message."""

    name: str
    value: str


@dataclass(frozen=True, slots=True)
class ProblemJson:
    """Why a command could not run."""

    code: str
    message: str
    hint: str


@dataclass(frozen=True, slots=True)
class Failed(JsonDocument):
    """Any command that could not run."""

    NAME: ClassVar = "error"
    error: ProblemJson


@dataclass(frozen=True, slots=True)
class CompletionScript(JsonDocument):
    """`completion`."""

    NAME: ClassVar = "completion"
    shell: str
    script: Annotated[str, VERBATIM]


@dataclass(frozen=True, slots=True)
class ManualPage(JsonDocument):
    """`manual`."""

    NAME: ClassVar = "manual"
    page: Annotated[str, VERBATIM]


@dataclass(frozen=True, slots=True)
class Schemas(JsonDocument):
    """`schema`."""

    NAME: ClassVar = "schema"
    schemas: tuple[str, ...]
