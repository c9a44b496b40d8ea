"""The draft on disk: what was entered so far, so that a lost line costs at most the password.

The secret is never written, nor is the proof that it worked. What cannot be read is put aside and begun anew. It is
held to the same as `accounts.json`, since what stands in it reaches the same servers.
"""

from __future__ import annotations

import errno
import json
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from smtp_wizard.engine.base import private_files
from smtp_wizard.engine.base.address import Address, saved_address
from smtp_wizard.engine.base.characters import has_control
from smtp_wizard.engine.base.connection import Auth
from smtp_wizard.engine.base.endpoint import Endpoint, Security, parse_host, parse_port
from smtp_wizard.engine.base.identity import Scope
from smtp_wizard.engine.base.shown import shown
from smtp_wizard.engine.providers.catalog import Catalog
from smtp_wizard.engine.secrets.kinds import StoreKind
from smtp_wizard.engine.wizard.draft import Application, Arrival, Draft, Origin, as_catalogued
from smtp_wizard.engine.wizard.server_confirmation import not_before
from smtp_wizard.engine.wizard.steps import STEPS, Step, applicable, resume_step, step

FILE_NAME = "draft.json"
FILE_SCHEMA = "smtp-wizard/draft-file/1"
ASIDE = ".aside"
"""The ending of a file that could not be read."""
LARGEST = 65536
"""Bytes of a draft's file at most."""
_NO_DRAFT = (errno.EFBIG, errno.EINVAL, errno.EISDIR)
"""What is in the file's place was never written by this program: too large, a pipe, a folder."""


def _text(value: object) -> str:
    """A text without control characters: none of them may reach a line of SMTP, a header or a screen."""
    if not isinstance(value, str) or has_control(value):
        raise TypeError("not a text of one line")
    return value


def _flag(value: object) -> bool:
    if not isinstance(value, bool):
        raise TypeError("not yes or no")
    return value


def _whole(value: object) -> int:
    if not isinstance(value, int) or isinstance(value, bool):
        raise TypeError("not a whole number")
    return value


def _texts(value: object) -> tuple[str, ...]:
    if not isinstance(value, list):
        raise TypeError("not a list")
    return tuple(_text(each) for each in value)


def _table(value: object) -> dict[str, str]:
    if not isinstance(value, dict):
        raise TypeError("not a table")
    return {_text(key): _text(each) for key, each in value.items()}


def _address(value: object) -> Address:
    return saved_address(_text(value))


def _endpoint(value: object) -> Endpoint:
    table = _table(value)
    if set(table) != {"host", "port", "security"}:
        raise ValueError("not a server")
    return Endpoint(parse_host(table["host"]), parse_port(table["port"]), Security(table["security"]))


def _endpoint_out(endpoint: Endpoint) -> dict[str, str]:
    return {"host": endpoint.host, "port": str(endpoint.port), "security": endpoint.security.value}


def _typed_out(typed: Mapping[str, str]) -> dict[str, str]:
    """What was typed may hold anything; what no field takes anyway becomes a blank, so that it can be read again."""
    return {name: "".join(" " if has_control(ch) else ch for ch in text) for name, text in typed.items()}


@dataclass(frozen=True, slots=True)
class _Codec:
    """How one field goes into the file and comes out of it; None stands for itself."""

    read: Callable[[object], Any]
    write: Callable[[Any], Any] = lambda value: value


_CONNECTION: Mapping[str, _Codec] = {
    "endpoint": _Codec(_endpoint, _endpoint_out),
    "username": _Codec(_text),
    "auth": _Codec(lambda value: Auth(_text(value))),
    "provider": _Codec(_text),
    "path": _Codec(_text),
    "ca_file": _Codec(_text),
    "ehlo_name": _Codec(_text),
    "allow_cleartext": _Codec(_flag),
    "sandbox": _Codec(_text),
}
_IDENTITY: Mapping[str, _Codec] = {
    "sender": _Codec(_address, str),
    "sender_name": _Codec(_text),
    "update_company": _Codec(_flag),
    "company_name": _Codec(_text),
    "reply_to": _Codec(_address, str),
}
_OWN: Mapping[str, _Codec] = {
    "address": _Codec(_address, str),
    "origin": _Codec(lambda value: Origin(_text(value))),
    "origin_note": _Codec(_text),
    "maybe": _Codec(_texts, list),
    "ways": _Codec(_whole),
    "application": _Codec(lambda value: Application(_text(value))),
    "confirmed_host": _Codec(_text),
    "by_hand": _Codec(_flag),
    "client_id": _Codec(_text),
    "ticks": _Codec(lambda value: frozenset(_texts(value)), sorted),
    "test_to": _Codec(_address, str),
    "arrival": _Codec(lambda value: Arrival(_text(value))),
    "name": _Codec(_text),
    "scope": _Codec(lambda value: Scope(_text(value))),
    "store": _Codec(lambda value: StoreKind(_text(value))),
    "env_name": _Codec(_text),
    "secret_command": _Codec(_text),
    "secret_file": _Codec(_text),
    "editing": _Codec(_text),
    "typed": _Codec(_table, _typed_out),
}
"""Every field of a draft but the secrets, the proof, what was found beside what was chosen, and the saved name."""
_ORDER = (
    *("address", "provider", "origin", "origin_note", "maybe", "ways", "application", "path", "endpoint"),
    *("confirmed_host", "by_hand", "username", "auth", "allow_cleartext", "ehlo_name", "ca_file", "sender", "sandbox"),
    *("client_id", "ticks", "test_to", "arrival", "name", "sender_name", "scope", "update_company", "company_name"),
    *("reply_to", "store", "env_name", "secret_command", "secret_file", "editing", "typed"),
)
"""The keys of the file: the fields of a draft, of its connection and of its identity, side by side."""


_LATER = frozenset({"confirmed_host", "secret_command", "secret_file"})
"""Fields that older versions did not write."""


@dataclass(frozen=True, slots=True)
class UnfinishedDraft:
    """A draft that was left before it was saved."""

    draft: Draft
    step: Step
    """Where it goes on: where it stopped, or earlier where something must be proved again."""


class DraftBox:
    """The one draft of a config folder. That it cannot be saved is no reason to lose the rest: nothing is raised."""

    def __init__(self, folder: Path) -> None:
        self._file = folder / FILE_NAME
        self.trouble = ""
        """One sentence where a draft was found and cannot be gone on with; empty where it can, or there is none."""

    def save(self, draft: Draft, stopped: Step) -> bool:
        """Write the draft and where it stands; return whether that worked. Before anything is typed, do nothing."""
        if draft.address is None and not any(draft.typed.values()):
            return True
        document = {
            "schema": FILE_SCHEMA,
            "step": stopped.id,
            "draft": _written(draft),
        }
        text = json.dumps(document, ensure_ascii=False, indent=1) + "\n"
        try:
            private_files.make_private_dir(self._file.parent)
            private_files.write_private(self._file, text.encode("utf-8", "replace"))
        except OSError:
            return False
        return True

    def load(self) -> UnfinishedDraft | None:
        """Return the draft that was left, or None, and say in `trouble` what is wrong with one that is of no use.

        It is put aside under another name, unless others may change it or the system gives no access. Raises nothing.
        """
        self.trouble = ""
        try:
            return _kept(json.loads(private_files.read_private(self._file, LARGEST).decode()))
        except FileNotFoundError:
            return None
        except private_files.UnsafeFile as problem:
            self.trouble = str(problem)
        except OSError as problem:
            if problem.errno in _NO_DRAFT:
                self._put_aside()
            else:
                self.trouble = f"What you had begun could not be read: {shown(problem.strerror or '', 100)}."
        except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
            self._put_aside()
        return None

    def _put_aside(self) -> None:
        aside = self._file.with_name(FILE_NAME + ASIDE)
        with suppress(OSError):
            self._file.replace(aside)
            self.trouble = f"What you had begun could not be read; it was put aside as {shown(str(aside), 200)}."

    def clear(self) -> None:
        """Forget the draft."""
        with suppress(OSError):
            self._file.unlink(missing_ok=True)


def _kept(document: Any) -> UnfinishedDraft:
    """Read the file's content. Raises `ValueError`, `TypeError` or `KeyError` for whatever is not as it must be."""
    if set(document) != {"schema", "step", "draft"} or document["schema"] != FILE_SCHEMA:
        raise ValueError("not a draft")
    fields = document["draft"]
    if set(fields) | _LATER != set(_ORDER):
        raise ValueError("not the fields of a draft")
    blank = Draft()
    connection = replace(blank.connection, **_read(fields, _CONNECTION, blank.connection))
    identity = replace(blank.identity, **_read(fields, _IDENTITY, blank.identity))
    draft = replace(blank, connection=connection, identity=identity, **_read(fields, _OWN, blank))
    return UnfinishedDraft(draft, _earlier(draft, step(_text(document["step"]))))


def resumed(kept: UnfinishedDraft, catalog: Catalog) -> UnfinishedDraft:
    """Return a draft that was left as it can be gone on with now, and where: what it names may have gone since."""
    draft = as_catalogued(kept.draft, catalog)
    at = kept.step if kept.step in applicable(draft) else resume_step(draft)
    return UnfinishedDraft(draft, not_before(draft, at, catalog))


def _written(draft: Draft) -> dict[str, Any]:
    """Return a draft as it stands in the file."""
    parts = ((draft, _OWN), (draft.connection, _CONNECTION), (draft.identity, _IDENTITY))
    values = {name: (getattr(part, name), codec) for part, codecs in parts for name, codec in codecs.items()}
    return {name: None if values[name][0] is None else values[name][1].write(values[name][0]) for name in _ORDER}


def _read(fields: Mapping[str, object], codecs: Mapping[str, _Codec], blank: object) -> dict[str, Any]:
    """Return those fields that have a codec here; null stands for a field that is unset in `blank` too."""
    found = {name: codec.read(fields[name]) for name, codec in codecs.items() if fields.get(name) is not None}
    for name in codecs.keys() & fields.keys() - found.keys():
        if getattr(blank, name) is not None:
            raise ValueError(f"{name} is missing")
    return found


def _earlier(draft: Draft, stopped: Step) -> Step:
    """Where to go on: the first open question, if it comes before the place where the person stopped.

    The password is gone, so a draft that had got past the sign-in goes on there.
    """
    open_question = resume_step(draft)
    steps = applicable(draft)
    if stopped not in steps:
        return open_question
    return min(open_question, stopped, key=STEPS.index)
