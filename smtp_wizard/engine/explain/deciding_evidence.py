"""From everything that was pasted to the one thing that decides: what was said, at which stage, by whom.

The readers are asked in the order in which what they know excludes the rest: a report of delivery says what became of
the message; a session what was refused in it; a log what became of which message; else the text itself is the evidence,
without the frames of stack traces and the keys of JSON. A reader is loaded only where a sign of its way of writing
stands in the text, since most texts are one line.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from smtp_wizard.engine.base.endpoint import Security
from smtp_wizard.engine.base.stages import Stage
from smtp_wizard.engine.explain.evidence import AttemptOutcome, Complaint, Delivery, Evidence, LineRange, Party
from smtp_wizard.engine.explain.pasted_text import find_replies
from smtp_wizard.engine.lazy_dataclass import dataclass
from smtp_wizard.engine.smtp.symptom import Fault

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from smtp_wizard.engine.explain.readers.bounces import Bounce, OtherRecipient
    from smtp_wizard.engine.explain.sessions import Attempt


@dataclass(frozen=True, slots=True, kw_only=True)
class DecidingEvidence:
    """The evidence that decides in a text."""

    text: str
    """What the rules are asked about."""
    stage: Stage | None = None
    host: str = ""
    port: int | None = None
    security: Security | None = None
    speaker: Party | None = None
    delivery: Delivery | None = None
    """What became of the message, where the text says so."""
    bounced: bool = False
    """It is mail that came back, or a part of it."""
    certain: bool = False
    """What decides is known to be what was said, by how it stands in a session, a report or a log."""
    answered: bool = False
    """The server said something, so it is not one that keeps silent."""
    accepted: bool = False
    """The text is a record of something that went well."""
    happened: Fault | None = None
    """What went wrong, where the course of a session says it better than any word in it."""
    lacking: str = ""
    """What the server did not offer then."""
    gave_up: bool = False
    """The program ended the session before it signed in, though nothing was refused."""
    unsigned: bool = False
    """The program began the message without having signed in."""
    attempts: int = 1
    """How many attempts the text tells of."""
    evidence: tuple[Evidence, ...] = ()


def deciding_in_bounce(bounce: Bounce, *, told: bool = False) -> DecidingEvidence:
    """Return what decides in mail that came back. `told`: somebody says that it did; who refused it is open."""
    outcome = AttemptOutcome.DELAYED if bounce.action == "delayed" else AttemptOutcome.FAILED
    port = _PORT.search(bounce.text)
    speaker = Party.FORWARDER if bounce.forwarded else None if told else Party.RECIPIENT
    if port is not None and port[1] in _SUBMISSION:
        speaker = Party.OWN
    delivery = Delivery(
        outcome=outcome,
        recipient=bounce.recipient,
        words=bounce.text,
        status=bounce.status,
        reporter=bounce.reporter,
        server=bounce.server,
        command=bounce.command,
        speaker=speaker,
        since=bounce.since,
        until=bounce.until,
        others=tuple(each.recipient for each in bounce.others),
        lines=LineRange(1, 1),
    )
    return DecidingEvidence(
        text=bounce.text,
        stage=stage_of_command(bounce.command),
        host=bounce.server,
        speaker=speaker,
        delivery=delivery,
        bounced=True,
        evidence=(delivery, *(_other_delivery(each, speaker) for each in bounce.others)),
    )


def _other_delivery(other: OtherRecipient, speaker: Party | None) -> Delivery:
    return Delivery(
        outcome=AttemptOutcome.DELAYED if other.action == "delayed" else AttemptOutcome.FAILED,
        recipient=other.recipient,
        words=other.words,
        status=other.status,
        server=other.server,
        speaker=speaker,
        lines=LineRange(1, 1),
    )


_PORT = re.compile(r"\]:(\d{2,5})\b")
_SUBMISSION = frozenset({"465", "587", "2525"})


def deciding_evidence(text: str) -> DecidingEvidence:
    """Return what decides in a plain text (`plain_text`). Total."""
    return _in_log(text) or _in_session(text) or _in_any(text)


# --- a session ---

_SPOKEN = re.compile(
    r"(?:^|\n|[:<>'\"~* -])(?:220|250|235|334|354)[ -]|\b(?:EHLO|HELO|STARTTLS|MAIL FROM|RCPT TO)\b"
    r"|===? Trying|retcode \(|,[<>],|SMTPSVC\d"
)
_ENOUGH = 2


def _in_session(text: str) -> DecidingEvidence | None:
    if sum(1 for _ in zip(_SPOKEN.finditer(text), range(_ENOUGH), strict=False)) < _ENOUGH and not _SEVERAL.search(
        text
    ):
        return None
    from smtp_wizard.engine.explain.readers.transcripts import connections, read_transcript
    from smtp_wizard.engine.explain.sessions import decisive, read_attempts

    found = read_transcript(text)
    attempts = read_attempts(connections(found)) if found else []
    attempt = decisive(attempts)
    return _of_attempt(attempt, attempts, found, text) if attempt is not None else None


_SEVERAL = re.compile(
    r"(?:attempt|try|versuch|trying|connecting)\b.{0,400}\n.{0,2000}?(?:attempt|try|versuch|trying|connecting)\b",
    re.IGNORECASE,
)


def _of_attempt(
    attempt: Attempt, attempts: Sequence[Attempt], found: Sequence[Evidence], text: str
) -> DecidingEvidence | None:
    refusal = attempt.refusal
    happened, lacking = None, ""
    if refusal is not None:
        words = " ".join(each for each in (str(refusal.code), refusal.enhanced or "", refusal.words) if each)
        stage = refusal.stage
    elif attempt.unconfirmed:
        words, stage, happened = _complaints(attempt, found, text), Stage.DATA, Fault.OUTCOME_UNKNOWN
    elif attempt.outcome is not AttemptOutcome.ACCEPTED and (told := _refusal_beside(found, text)):
        words, stage = told, None
    elif attempt.sign_in_hidden:
        words, stage = _complaints(attempt, found, text), Stage.AUTH
        happened, lacking = Fault.NOT_OFFERED, "AUTH-BEFORE-TLS"
    elif attempt.complaints:
        words = _complaints(attempt, found, text)
        stage = attempt.reached if attempt.answered else None
    elif attempt.outcome is AttemptOutcome.ACCEPTED:
        words, stage = "", None
    elif attempt.gave_up:
        words = _beside(found, text)
        stage, happened, lacking = _why_given_up(attempt)
    elif attempt.answered and (beside := _beside(found, text)):
        words, stage = beside, None
    else:
        return None
    return DecidingEvidence(
        text=words,
        stage=stage,
        host=attempt.host,
        port=attempt.port,
        security=attempt.security,
        certain=refusal is not None or attempt.outcome is AttemptOutcome.ACCEPTED,
        answered=attempt.answered,
        accepted=attempt.outcome is AttemptOutcome.ACCEPTED,
        happened=happened,
        lacking=lacking,
        gave_up=attempt.gave_up and happened is None,
        unsigned=attempt.unsigned and attempt.reached in _SENDING,
        attempts=len(attempts),
        evidence=tuple(found),
    )


def _why_given_up(attempt: Attempt) -> tuple[Stage | None, Fault | None, str]:
    """Return stage, fault and what was lacking where a program gave up: most sign in over no clear text."""
    return (None, None, "") if attempt.offers_starttls else (Stage.EHLO, Fault.NOT_OFFERED, "STARTTLS")


_SENDING = frozenset({Stage.MAIL, Stage.RCPT, Stage.DATA})


def _complaints(attempt: Attempt, found: Sequence[Evidence], text: str) -> str:
    """Return what a program complains of: in the session, and before and behind it, where some put their error."""
    begins = next((each.lines.first for each in found if not isinstance(each, Complaint)), 1)
    before = text.split("\n", begins - 1)[: begins - 1]
    told = [line for line in before if _COMPLAINT.search(line) is not None][-_FEW:]
    said = [each.words for each in attempt.complaints]
    ends = max((each.lines.last for each in found if not isinstance(each, Complaint)), default=0)
    behind = [line for line in text.split("\n")[ends : ends + _FEW + 1] if line.strip() and line.strip() not in said]
    if attempt.unconfirmed:
        behind = []  # what went wrong is known
    return "\n".join([*told, *said, *behind])


def _beside(found: Sequence[Evidence], text: str) -> str:
    """Return the lines of a text that do not belong to the session in it, if they complain of anything."""
    rest = _without(text, found)
    return rest if _COMPLAINT.search(rest) is not None else ""


def _refusal_beside(found: Sequence[Evidence], text: str) -> str:
    """Return the refusal that is quoted around a session, which may be another one, with what its line says before."""
    rest = _without(text, (each for each in found if not isinstance(each, Complaint)))
    reply = next((each for each in find_replies(rest) if each.sure), None)
    if reply is None:
        return ""
    start, end = rest.rfind("\n", 0, reply.at) + 1, rest.find("\n\n", reply.at)
    return rest[start : end if end > 0 else len(rest)][:_LONGEST_REPLY]


def _without(text: str, found: Iterable[Evidence]) -> str:
    """Return the lines of a text that none of some evidence came from."""
    spoken = {line for each in found for line in range(each.lines.first, each.lines.last + 1)}
    return "\n".join(line for number, line in enumerate(text.split("\n"), 1) if number not in spoken)


_LONGEST_REPLY = 600


_COMPLAINT = re.compile(r"\b(?:error|fehler|erreur|fail\w{0,8}|could not|cannot|exception)\b", re.IGNORECASE)
_FEW = 3


# --- a log ---

_LOGGED = re.compile(
    r"status=\w|stat=|exitcode=EX_|: (?:milter-)?reject: | rejected (?:RCPT|MAIL|EHLO|HELO|DATA|after|connection)\b"
    r"|\](?::\d{1,5})? (?:said|refused to talk to me): [45]\d\d[ -]"
    r"|[\w-]{6,23} (?:\*\*|==) \S|(?:\*\*|==) \S{1,320}@\S{1,253} .{0,80}\bR=\w"
)


def _in_log(text: str) -> DecidingEvidence | None:
    if _LOGGED.search(text) is None:
        return None
    from smtp_wizard.engine.explain.readers.mail_logs import read_mail_log

    found = read_mail_log(text)
    delivery = _deciding(found)
    if delivery is None:
        return None
    return DecidingEvidence(
        text=delivery.words,
        stage=stage_of_command(delivery.command),
        host=delivery.server,
        port=delivery.port,
        speaker=delivery.speaker,
        delivery=delivery,
        certain=delivery.words[:1] in ("4", "5") or delivery.outcome is AttemptOutcome.ACCEPTED,
        accepted=delivery.outcome is AttemptOutcome.ACCEPTED,
        attempts=len(found),
        evidence=tuple(found),
    )


def _deciding(found: Sequence[Delivery]) -> Delivery | None:
    """Return the delivery that decides: the last that failed; else the last that waits, unless it went well later.

    Of several the last of which a server has said why.
    """
    for outcome in (AttemptOutcome.FAILED, AttemptOutcome.DELAYED, AttemptOutcome.ACCEPTED):
        of_it = [each for each in found if each.outcome is outcome]
        if outcome is AttemptOutcome.DELAYED and found and found[-1].outcome is AttemptOutcome.ACCEPTED:
            of_it = [each for each in of_it if each.recipient != found[-1].recipient]
        if of_it:
            said = [each for each in of_it if each.words[:1] in ("4", "5")]
            return (said or of_it)[-1]
    return None


_COMMANDS = (
    ("connection", Stage.GREETING),
    ("greeting", Stage.GREETING),
    ("HELO", Stage.EHLO),
    ("EHLO", Stage.EHLO),
    ("STARTTLS", Stage.STARTTLS),
    ("AUTH", Stage.AUTH),
    ("MAIL", Stage.MAIL),
    ("RCPT", Stage.RCPT),
    ("DATA", Stage.DATA),
    ("BDAT", Stage.DATA),
    ("data", Stage.DATA),
)


def stage_of_command(command: str) -> Stage | None:
    """Return the stage of a command as reports name it: 'RCPT TO', 'end of DATA'; None where it is not known."""
    return next((stage for word, stage in _COMMANDS if word in command), None)


# --- anything else ---


def _in_any(text: str) -> DecidingEvidence:
    """Return a text without what cannot be evidence: frames of stack traces, keys of JSON."""
    found: Sequence[Evidence] = ()
    stage: Stage | None = None
    if '":' in text or '" :' in text:
        from smtp_wizard.engine.explain.readers.json_values import without_keys

        text = without_keys(text)
    if _TRACED.search(text) is not None:
        from smtp_wizard.engine.explain.readers.stack_traces import read_exceptions, stage_in_frames, without_frames

        stage = stage_in_frames(text)
        text, found = without_frames(text), read_exceptions(text)
    text = _HEADERS.sub("\n", text) if _HEADERS.search(text) is not None else text
    return DecidingEvidence(text=text, stage=stage, evidence=tuple(found))


_HEADERS = re.compile(
    r"(?:^|\n)(?:[ \t]{0,12}(?:From|To|Cc|Bcc|Subject|Date|Message-I[dD]|MIME-Version|Content-[A-Z][\w-]{2,40}|Reply-To"
    r"|Return-Path|Received|User-Agent|DKIM-Signature|X-[\w-]{2,40}): ?[^\n]{0,1000}"
    r"(?:\n[ \t]{1,8}\S[^\n]{0,1000}){0,20}\n){3,60}"
)
"""Headers of a message that stand in the midst of a text: three lines of them at least."""


_TRACED = re.compile(
    r"\n[ \t]{0,20}at |\bat [\w.$]+\(|File \"|\n#\d|:in [`'\"]|goroutine \d|\.(?:rb|go|php|py|js|ts):\d"
)
