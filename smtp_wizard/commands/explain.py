"""`explain`: any SMTP error, log or bounce, pasted: what it means, who must act, what to do next."""

from __future__ import annotations

import gc
import json
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

import click

from smtp_wizard.commands.command_with_examples import CommandWithExamples
from smtp_wizard.commands.options.shell_completion import provider_ids
from smtp_wizard.commands.providers import meant
from smtp_wizard.engine.base.connection import Auth
from smtp_wizard.engine.base.endpoint import Security, parse_port
from smtp_wizard.engine.base.errors import InputError
from smtp_wizard.engine.base.shown import Shown, phrase, shown
from smtp_wizard.engine.base.stages import Stage
from smtp_wizard.engine.explain.error_context import AFTER, StageOrAfter
from smtp_wizard.engine.explain.explain import Explainer, Explanation
from smtp_wizard.engine.smtp.symptom import Hints
from smtp_wizard.output.documents.document import Failed, JsonDocument, ProblemJson
from smtp_wizard.output.documents.explain import Explained
from smtp_wizard.runtime.exit_codes import CommandError, Exit
from smtp_wizard.runtime.output import Form
from smtp_wizard.text.explain import (
    BOUNCES_GUIDE,
    LIKELY,
    alternative_words,
    came_back,
    confidence_words,
    provider_unknown,
)

if TYPE_CHECKING:
    from smtp_wizard.commands.invocation import Invocation

STAGES = (*Stage, AFTER)
SECURITY: Mapping[str, Security] = {**{each.value: each for each in Security}, "ssl": Security.TLS}
"""What the secure connection may be called: `ssl` is what many programs call TLS from the first byte."""
LONGEST_TEXT = 4_000_000
"""Bytes of a pasted text that are read."""
LONGEST_LINE = 1_000_000
"""Bytes of a line of JSON Lines."""
_LONGEST_WORD = 253


@click.command("explain", cls=CommandWithExamples)
@click.argument("file", default="-", metavar="[FILE|-]")
@click.option(
    "--provider",
    metavar="ID",
    shell_complete=provider_ids,
    help="The provider of the server: an id from 'providers', or its name.",
)
@click.option(
    "--stage",
    type=click.Choice([str(stage) for stage in STAGES]),
    help="Where it failed ('after': once the message was accepted).",
)
@click.option("--host", metavar="H", help="The server that was used.")
@click.option("--port", metavar="P", help="The server's port.")
@click.option("--security", type=click.Choice(list(SECURITY)), help="How the connection was encrypted.")
@click.option("--client", metavar="NAME", help="The program or library that reported the error.")
@click.option("--json", "_json", is_flag=True, help="Print one JSON document.")
@click.option(
    "--jsonl", "_jsonl", is_flag=True, help="Read JSON objects with 'text', one a line, and print one for each."
)
@click.pass_obj
def command(
    invocation: Invocation,
    file: str,
    provider: str | None,
    stage: str | None,
    host: str | None,
    port: str | None,
    security: str | None,
    client: str | None,
    _json: bool,
    _jsonl: bool,
) -> int:
    """Explain an error from a mail program, an application or a server: paste it, or name a FILE.

    It may be a whole log or bounce. Nothing is kept or sent anywhere.
    """
    told = Hints(
        host=_word(host),
        port=None if port is None else parse_port(port),
        security=SECURITY[security] if security else None,
    )
    about = _About(stage=_stage(stage), settings=told, provider=provider, client=client)
    if invocation.out.form is Form.LINES:
        with _opened(file) as source:
            return _explain_lines(invocation, source, about)
    text = _read(invocation, file)
    explanation = about.ask(invocation.explainer, text)
    if provider and invocation.explainer.provider_called(provider) is None:
        words = provider_unknown(shown(provider, 60))
        invocation.out.narrate(" ".join(filter(None, (words, meant(invocation, provider)))))
    if invocation.out.form is Form.JSON:
        invocation.out.document(Explained.of(explanation))
    else:
        invocation.out.data("\n".join(_for_a_person(explanation)))
    return Exit.OK


class _About:
    """What is known beside the text."""

    def __init__(
        self, *, stage: StageOrAfter | None, settings: Hints, provider: str | None, client: str | None
    ) -> None:
        self.stage = stage
        self.settings = settings
        self.provider = provider
        self.client = client

    def ask(self, explainer: Explainer, text: str) -> Explanation:
        """Have a text explained."""
        return explainer.explain_text(
            text, stage=self.stage, settings=self.settings, provider=self.provider, client=self.client
        )


def _for_a_person(explanation: Explanation) -> Iterator[str]:
    from smtp_wizard.output.plain_lines import finding_lines, paragraph

    yield from paragraph(explanation.finding.title)
    yield from finding_lines(explanation.finding)
    if came_back(explanation) and explanation.finding.guide != BOUNCES_GUIDE:
        yield f"What to do with mail that came back: smtp-wizard guide {BOUNCES_GUIDE}"
    if 0 < explanation.confidence < LIKELY:
        yield from paragraph(confidence_words(explanation))
    for other in explanation.alternatives:
        yield from paragraph(alternative_words(other))


# --- one text ---


def _read(invocation: Invocation, file: str) -> str:
    """Return the text to be explained. Raises `CommandError` where there is none."""
    if file == "-" and sys.stdin.isatty():
        invocation.out.narrate("Paste the error, then press Ctrl-D on a line of its own.")
    with _opened(file) as source:
        raw = source.read(LONGEST_TEXT)
    text = _decoded(raw)
    if not text.strip():
        raise CommandError(
            "input", phrase("There is nothing to explain."), phrase("Give a file, or the error on standard input.")
        )
    return text


@contextmanager
def _opened(file: str) -> Iterator[BinaryIO]:
    """Open what is to be read, '-' for standard input, which stays open.

    Raises `CommandError`, also for a fault while it is read.
    """
    what = "Standard input" if file == "-" else f"The file '{shown(file, 120)}'"
    try:
        with nullcontext(sys.stdin.buffer) if file == "-" else Path(file).open("rb") as source:
            yield source
    except OSError as problem:
        why = shown(problem.strerror or "unknown reason", 80)
        raise CommandError("input", phrase("{} cannot be read: {}.", shown(what), why)) from None


def _decoded(raw: bytes) -> str:
    """Decode a text as what it says it is: UTF-16 where it begins with its mark, else UTF-8, else as it comes."""
    if raw.startswith((b"\xff\xfe", b"\xfe\xff")):
        return raw.decode("utf-16", "replace")
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        return raw.decode("cp1252", "replace")


# --- many texts: JSON Lines in, JSON Lines out ---


def _explain_lines(invocation: Invocation, source: BinaryIO, about: _About) -> int:
    """Answer line by line, in order, whatever stands in one; return the exit code.

    It is 2, that of wrong usage, if any line could not be used, and 70 if any met a fault of this program.
    """
    code, explainer = Exit.OK, invocation.explainer
    gc.freeze()  # what was loaded stays to the end: nobody need look through it again and again
    for line in _lines(source):
        try:
            answer: JsonDocument = _answered(explainer, line, about)
        except InputError as problem:
            code = max(code, Exit.USAGE)
            answer = _failed(CommandError("input", problem.words))
        except Exception as problem:  # whatever is wrong with one line, the others have their answers
            code = Exit.BUG
            from smtp_wizard.commands.faults import reported_bug

            answer = _failed(reported_bug(problem, invocation))
        invocation.out.data(answer.json_text(indent=None))
    return code


def _failed(problem: CommandError) -> JsonDocument:
    """Return what stands in the place of an answer."""
    return Failed(ProblemJson(problem.code, problem.message, problem.hint))


def _lines(source: BinaryIO) -> Iterator[bytes | None]:
    """Yield line by line as they come; None for one that is too long, of which nothing is kept."""
    while line := source.readline(LONGEST_LINE + 1):
        if len(line) <= LONGEST_LINE or line.endswith(b"\n"):
            yield line
            continue
        while line and not line.endswith(b"\n"):
            line = source.readline(LONGEST_LINE)
        yield None


def _answered(explainer: Explainer, line: bytes | None, about: _About) -> JsonDocument:
    """Return the answer to one line. Raises `InputError` with one sentence."""
    asked = _asked(line)
    text = asked.get("text")
    if not isinstance(text, str):
        raise InputError(phrase("The key 'text' is missing, or is no text."))
    own = _About(
        stage=_stage(_text(asked, "stage")) or about.stage,
        settings=_settings(asked.get("settings"), about.settings),
        provider=_text(asked, "provider") or about.provider,
        client=_text(asked, "client") or about.client,
    )
    return Explained.of(own.ask(explainer, text))


def _asked(line: bytes | None) -> dict[str, Any]:
    if line is None:
        raise InputError(phrase("The line is longer than {:,} bytes.", LONGEST_LINE))
    try:
        asked = json.loads(line)
    except (ValueError, RecursionError):
        raise InputError(phrase("The line is not JSON.")) from None
    if not isinstance(asked, dict):
        raise InputError(phrase("The line is not a JSON object."))
    return asked


def _text(asked: Mapping[str, Any], key: str) -> str | None:
    value = asked.get(key)
    if value is None or isinstance(value, str):
        return value or None
    raise InputError(phrase("The key '{}' is no text.", shown(key)))


def _settings(value: object, told: Hints) -> Hints:
    """Read `settings`; what they leave out is as the options of the command say."""
    if value is None:
        return told
    if not isinstance(value, dict):
        raise InputError(phrase("The key 'settings' is no object."))
    security = _text(value, "security")
    if security is not None and security.lower() not in SECURITY:
        raise InputError(phrase("The security '{}' is none of: {}.", shown(security, 40), shown(", ".join(SECURITY))))
    auth = _text(value, "auth")
    port = value.get("port")
    return Hints(
        host=_word(_text(value, "host")) or told.host,
        port=told.port if port is None else parse_port(str(port)),
        security=SECURITY[security.lower()] if security else told.security,
        auth=Auth(auth) if auth in set(Auth) else told.auth,
    )


def _word(value: str | None) -> Shown:
    return shown(value or "", _LONGEST_WORD)


def _stage(value: str | None) -> StageOrAfter | None:
    """Raises `InputError` where it is no stage."""
    if value is None or value == AFTER:
        return value if value is None else AFTER
    try:
        return Stage(value)
    except ValueError:
        raise InputError(phrase("The stage '{}' is none of: {}.", shown(value, 40), shown(", ".join(STAGES)))) from None
