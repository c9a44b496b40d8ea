"""The draft on disk: what was entered so far, so that a lost line costs at most the password.

The secret is never written, nor is the proof that it worked. What cannot be read is put aside and begun again. It is
held to the same as `accounts.json`, since what stands in it reaches the same servers.
"""

from __future__ import annotations

import errno
import json
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any, Final, Literal

from smtp_wizard.engine.base import private_files
from smtp_wizard.engine.base.characters import has_control
from smtp_wizard.engine.base.endpoint import parse_port
from smtp_wizard.engine.base.records import read_record, write_record
from smtp_wizard.engine.base.shown import shown
from smtp_wizard.engine.base.strict_json import JsonError, read_json
from smtp_wizard.engine.lazy_dataclass import dataclass
from smtp_wizard.engine.providers.catalog import Catalog
from smtp_wizard.engine.wizard.draft import Draft, as_catalogued
from smtp_wizard.engine.wizard.steps import STEPS, Step, StepId, applicable, resume_step, step
from smtp_wizard.engine.wizard.trusted_servers import step_before_confirmation

FILE_NAME = "draft.json"
FILE_SCHEMA: Final = "smtp-wizard/draft-file/2"
FIRST_SCHEMA = "smtp-wizard/draft-file/1"
ASIDE = ".aside"
"""The ending of a file that could not be read."""
LARGEST = 65536
"""Bytes of a draft's file at most."""
_LONGEST_TYPED = 500
"""Characters that are kept of what stands in a field and cannot be used: all fields together are a draft's file."""
_NO_DRAFT = (errno.EFBIG, errno.EINVAL, errno.EISDIR)
"""What is in the file's place was never written by this program: too large, a pipe, a folder."""


@dataclass(frozen=True, slots=True)
class _File:
    schema: Literal["smtp-wizard/draft-file/2"]
    step: StepId
    draft: Draft


@dataclass(frozen=True, slots=True)
class UnfinishedDraft:
    """A draft that was left before it was saved."""

    draft: Draft
    step: Step
    """Where it goes on: where it stopped, or earlier where something must be proved again."""


class DraftFile:
    """The one draft of a config folder. That it cannot be saved is no reason to lose the rest: nothing is raised."""

    def __init__(self, folder: Path) -> None:
        self._file = folder / FILE_NAME
        self.problem = ""
        """One sentence where a draft was found and cannot be gone on with; empty where it can, or there is none."""

    def save(self, draft: Draft, stopped: Step) -> bool:
        """Write the draft and where it stands; return whether that worked. Before anything is typed, do nothing."""
        if draft.address is None and not any(draft.typed.values()):
            return True
        document = _in_lines(write_record(_File(FILE_SCHEMA, stopped.id, _bounded(draft))))
        data = (json.dumps(document, ensure_ascii=False, indent=1) + "\n").encode("utf-8")
        if len(data) > LARGEST:  # it would be put aside when it is read, with all that was entered
            return False
        try:
            private_files.make_private_dir(self._file.parent)
            private_files.write_private(self._file, data)
        except OSError:
            return False
        return True

    def load(self) -> UnfinishedDraft | None:
        """Return the draft that was left, or None, and say in `trouble` what is wrong with one that is of no use.

        It is put aside under another name, unless others may change it or the system gives no access. Raises nothing.
        """
        self.problem = ""
        try:
            return _kept(read_json(private_files.read_private(self._file, LARGEST)))
        except FileNotFoundError:
            return None
        except private_files.UnsafeFile as problem:
            self.problem = str(problem)
        except OSError as problem:
            if problem.errno in _NO_DRAFT:
                self._put_aside()
            else:
                self.problem = f"What you had begun could not be read: {shown(problem.strerror or '', 100)}."
        except ValueError:
            self._put_aside()
        return None

    def _put_aside(self) -> None:
        aside = self._file.with_name(FILE_NAME + ASIDE)
        with suppress(OSError):
            self._file.replace(aside)
            self.problem = f"What you had begun could not be read; it was put aside as {shown(str(aside), 200)}."

    def clear(self) -> None:
        """Forget the draft."""
        with suppress(OSError):
            self._file.unlink(missing_ok=True)


def _kept(document: object) -> UnfinishedDraft:
    """Read the file's content. Raises `JsonError`, and `ValueError` for a port that is none."""
    file = read_record(_File, _upgraded(document))
    return UnfinishedDraft(file.draft, _earlier(file.draft, step(file.step)))


def resumed(kept: UnfinishedDraft, catalog: Catalog) -> UnfinishedDraft:
    """Return a draft that was left as it can be gone on with now, and where: what it names may have gone since."""
    draft = as_catalogued(kept.draft, catalog)
    at = kept.step if kept.step in applicable(draft) else resume_step(draft)
    return UnfinishedDraft(draft, step_before_confirmation(draft, at, catalog))


def _upgraded(document: object) -> object:
    """Return a file of the first form as one of today's: there a port was a text."""
    match document:
        case {"schema": str(schema), "draft": {"endpoint": endpoint, **draft}, **rest} if schema == FIRST_SCHEMA:
            return {**rest, "schema": FILE_SCHEMA, "draft": {**draft, "endpoint": _with_number(endpoint)}}
    return document


def _with_number(endpoint: object) -> object:
    match endpoint:
        case {"port": str(port), **rest}:
            return {**rest, "port": parse_port(port)}
        case {"port": _}:
            raise JsonError("must be text", ("draft", "endpoint", "port"))
    return endpoint


def _bounded(draft: Draft) -> Draft:
    """Return a draft without what is too long to have been meant for a field: a whole file may have been pasted."""
    return replace(draft, typed={name: text[:_LONGEST_TYPED] for name, text in draft.typed.items()})


def _in_lines(value: Any) -> Any:
    """Return JSON that can be read again: what no field takes, as a line end in the name of a file, is a blank."""
    if isinstance(value, dict):
        return {_in_lines(key): _in_lines(each) for key, each in value.items()}
    if isinstance(value, list):
        return [_in_lines(each) for each in value]
    if isinstance(value, str) and has_control(value):
        return "".join(" " if has_control(ch) else ch for ch in value)
    return value


def _earlier(draft: Draft, stopped: Step) -> Step:
    """Where to go on: the first open question, if it comes before the place where the person stopped.

    The password is gone, so a draft that had got past the sign-in goes on there.
    """
    open_question = resume_step(draft)
    steps = applicable(draft)
    if stopped not in steps:
        return open_question
    return min(open_question, stopped, key=STEPS.index)
