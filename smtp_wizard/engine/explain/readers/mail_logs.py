"""LineRange that mail servers and programs write about each message: what became of it, and what the other server said.

Postfix, Exim, sendmail, OpenSMTPD, Exchange's message tracking, MDaemon, hMailServer, msmtp. A line is one delivery to
one recipient. Their own refusals of what somebody handed in (`NOQUEUE: reject`, `rejected RCPT`) are deliveries too, by
a server of one's own that said no.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from smtp_wizard.engine.explain.evidence import AttemptOutcome, Delivery, LineRange, Party
from smtp_wizard.engine.explain.readers.log_prefixes import split_prefix

MOST_LINES = 20_000
LONGEST_LINE = 4_000

_OUTCOMES = {
    "sent": AttemptOutcome.ACCEPTED,
    "delivered": AttemptOutcome.ACCEPTED,
    "ok": AttemptOutcome.ACCEPTED,
    "bounced": AttemptOutcome.FAILED,
    "undeliverable": AttemptOutcome.FAILED,
    "permfail": AttemptOutcome.FAILED,
    "expired": AttemptOutcome.FAILED,
    "deferred": AttemptOutcome.DELAYED,
    "softbounce": AttemptOutcome.DELAYED,
    "tempfail": AttemptOutcome.DELAYED,
    "deliverable": AttemptOutcome.ACCEPTED,
}


def read_mail_log(text: str) -> list[Delivery]:
    """Return the deliveries that a log tells of, in order; nothing where there is no such log."""
    return [
        found
        for number, line in enumerate(text.split("\n", MOST_LINES)[:MOST_LINES], 1)
        for found in _read(number, line[:LONGEST_LINE])
    ]


def _read(number: int, line: str) -> Iterator[Delivery]:
    at, _, said = split_prefix(line)
    lines = LineRange(number, number)
    for read in (_postfix, _exim, _opensmtpd, _sendmail, _refused_here, _exim_refused, _msmtp, _postfix_quoted):
        found = read(said, at, lines)
        if found is not None:
            yield found
            return


# --- Postfix ---

_PLACE = re.compile(r"\[?(?P<host>[\w.-]{1,253})\]?(?:\[[^\s\[\]]{2,45}\])?(?::(?P<port>\d{1,5}))?")
_SAID = re.compile(
    r"host (?P<host>[\w.-]{1,253})\[[^\s\[\]]{2,45}\](?::(?P<port>\d{1,5}))? (?:said|refused to talk to me): "
)
_IN_REPLY = re.compile(r"\(in reply to (?P<command>end of DATA|[A-Z ]{4,12}) command\)")


def _postfix(said: str, at: str, lines: LineRange) -> Delivery | None:
    head, found, tail = said.partition("status=")
    if not found or "to=<" not in head:
        return None
    fields = _fields(head)
    outcome, _, rest = tail.partition(" (")
    words = rest.rstrip().removesuffix(")")
    spoke = _SAID.search(words)
    relay = fields.get("relay", "none")
    place = spoke or _PLACE.match(relay)
    port = place["port"] if place is not None else None
    command = _IN_REPLY.search(words)
    sought = _SOUGHT.search(words) if spoke is None else None
    domain = fields.get("to", "").strip("<>").rpartition("@")[2].lower()
    misspelt = sought is not None and sought["name"].lower() == domain
    return Delivery(
        outcome=_OUTCOMES.get(outcome.strip().lower(), AttemptOutcome.OPEN),
        recipient=fields.get("to", "").strip("<>"),
        words=words[spoke.end() :] if spoke is not None else words,
        status=fields.get("dsn", ""),
        server=place["host"].lower() if place is not None and relay != "none" else "",
        port=_number(port),
        command=command["command"] if command is not None else "",
        speaker=_speaker(port) if spoke is not None else Party.RECIPIENT if misspelt else None,
        since=at,
        lines=lines,
    )


def _postfix_quoted(said: str, at: str, lines: LineRange) -> Delivery | None:
    """What Postfix says of another server ('host mx[ip] said: 550 ...'), quoted from its log or a letter of its."""
    spoke = _SAID.search(said)
    if spoke is None or (code := said[spoke.end() : spoke.end() + 1]) not in ("4", "5"):
        return None
    words = said[spoke.end() :]
    command = _IN_REPLY.search(words)
    return Delivery(
        outcome=AttemptOutcome.DELAYED if code == "4" else AttemptOutcome.FAILED,
        words=words[: command.end()] if command is not None else words,
        server=spoke["host"].lower(),
        port=_number(spoke["port"]),
        command=command["command"] if command is not None else "",
        speaker=_speaker(spoke["port"]),
        since=at,
        lines=lines,
    )


_SOUGHT = re.compile(
    r"Name service error for name=(?P<name>[\w.-]{1,253}) type=(?:MX|A|AAAA): Host (?:not found|found)(?!, try)"
)
"""A name that does not exist. The recipient's own domain is one that was misspelt, another a server of one's own."""


def _fields(head: str) -> dict[str, str]:
    """Return the fields of a line such as 'ABC: to=<a@b.c>, relay=none, delay=3', by name."""
    pairs = (part.partition("=") for part in head.split(", "))
    return {name.strip().rpartition(" ")[2]: value for name, sign, value in pairs if sign}


def _number(port: str | None) -> int | None:
    return int(port) if port and 0 < int(port) <= 65535 else None


_SUBMISSION = frozenset({"465", "587", "2525"})


def _speaker(port: str | None) -> Party:
    """Mail is handed to a recipient's server on port 25; on the others it is handed in (RFC 6409 section 3.1)."""
    return Party.OWN if port in _SUBMISSION else Party.RECIPIENT


# --- Exim ---

_EXIM = re.compile(r"(?:[\w-]{10,30} |^[ \d]{0,12})(?P<flag>\*\*|==|=>|->) (?P<to>[^\s<>]{1,320})(?= |$|:)")
_EXIM_OUTCOMES = {"**": AttemptOutcome.FAILED, "==": AttemptOutcome.DELAYED}
_EXIM_HOST = re.compile(r"\bH=(?P<host>[\w.-]{1,253}) \[[^\s\[\]]{2,45}\](?::(?P<port>\d{1,5}))?")
_EXIM_SAID = re.compile(r"SMTP error from remote (?:mail server|mailer) after (?P<command>[^:<]{3,40})")
_NEXT_REPLY = re.compile(r": (?=[45]\d\d[ -])")
_EXIM_FIELD = re.compile(
    r" [A-Z]{1,4}=(?:\"[^\"]{0,400}\"|[^\s:]{0,300})(?: \[[^\s\[\]]{2,45}\](?::\d{1,5})?)?(?=:| |$)"
)


def _exim(said: str, at: str, lines: LineRange) -> Delivery | None:
    found = _EXIM.search(said)
    if found is None:
        return None
    rest = said[found.end() :]
    host, spoke = _EXIM_HOST.search(rest), _EXIM_SAID.search(rest)
    reply = _NEXT_REPLY.search(rest, spoke.end()) if spoke is not None else None
    port = host["port"] if host is not None else None
    words = rest[reply.end() :] if reply is not None else _EXIM_FIELD.sub("", rest)
    return Delivery(
        outcome=_EXIM_OUTCOMES.get(found["flag"], AttemptOutcome.ACCEPTED),
        recipient=found["to"].rstrip(":"),
        words=words.strip(" :"),
        server=host["host"].lower() if host is not None else "",
        port=_number(port),
        command=spoke["command"].strip().removeprefix("pipelined ") if spoke is not None else "",
        speaker=_speaker(port) if spoke is not None else None,
        since=at,
        lines=lines,
    )


# --- sendmail, and servers that write as it does ---


def _sendmail(said: str, at: str, lines: LineRange) -> Delivery | None:
    head, found, stat = said.partition("stat=")
    if not found or "to=" not in head:
        return None
    fields = _fields(head)
    status, reply = fields.get("dsn", ""), fields.get("reply", "")
    place = _PLACE.match(fields.get("relay", ""))
    outcome = _outcome_of(stat.lower(), status)
    return Delivery(
        outcome=outcome,
        recipient=fields.get("to", "").strip("<>"),
        words=f"{reply} ({stat})" if reply[:1] in ("4", "5") else f"{status} {_STOCK.sub('', stat)}".strip(),
        status=status,
        server=place["host"].rstrip(".").lower() if place is not None else "",
        speaker=Party.RECIPIENT if outcome is AttemptOutcome.FAILED else None,
        since=at,
        lines=lines,
    )


_STOCK = re.compile(r"^Service unavailable$", re.IGNORECASE)
"""What sendmail writes of every refusal for good, whatever the other server said."""


def _outcome_of(stat: str, status: str) -> AttemptOutcome:
    if stat.startswith("sent"):
        return AttemptOutcome.ACCEPTED
    return (
        AttemptOutcome.DELAYED
        if status.startswith("4") or stat.startswith(("defer", "queued"))
        else AttemptOutcome.FAILED
    )


# --- OpenSMTPD ---

_QUOTED = re.compile(r"(?P<name>\w{1,20})=(?:\"(?P<quoted>[^\"]{0,2000})\"|(?P<bare>[^\s,]{0,1000}))")


def _opensmtpd(said: str, at: str, lines: LineRange) -> Delivery | None:
    if "result=" not in said or "stat=" not in said:
        return None
    fields = {each["name"]: each["quoted"] or each["bare"] or "" for each in _QUOTED.finditer(said)}
    host = fields.get("relay", "").rpartition("(")[2].rstrip(")")
    return Delivery(
        outcome=_OUTCOMES.get(fields["result"].lower(), AttemptOutcome.OPEN),
        recipient=(fields.get("rcpt") or fields.get("to", "")).strip("<>"),
        words=fields["stat"],
        server=host.lower(),
        speaker=Party.RECIPIENT,
        since=at,
        lines=lines,
    )


# --- what a server of one's own refuses ---

_NOQUEUE = re.compile(r"(?:NOQUEUE|[0-9A-Za-z]{6,20}): (?:milter-)?reject: (?P<command>[A-Z-]{3,20}) from ")
_ENVELOPE = re.compile(r"; (?:from=<[^>]{0,320}> )?to=<(?P<to>[^>]{0,320})>")


def _refused_here(said: str, at: str, lines: LineRange) -> Delivery | None:
    found = _NOQUEUE.search(said)
    reply = _NEXT_REPLY.search(said, found.end()) if found is not None else None
    if found is None or reply is None:
        return None
    envelope = _ENVELOPE.search(said)
    words = said[reply.end() : envelope.start() if envelope is not None else len(said)]
    return Delivery(
        outcome=AttemptOutcome.DELAYED if words.startswith("4") else AttemptOutcome.FAILED,
        recipient=envelope["to"] if envelope is not None else "",
        words=words,
        command=found["command"],
        speaker=Party.OWN,
        since=at,
        lines=lines,
    )


_EXIM_REFUSED = re.compile(
    r"\bH=[^\n]{1,400}? (?P<later>temporarily )?rejected (?:after )?(?P<command>RCPT|MAIL|EHLO or HELO|EHLO|HELO|DATA"
    r"|connection)\b(?P<rest>[^\n]{0,2000})"
)
_EXIM_TO = re.compile(r" (?:in \S{1,80} ACL)?<?(?P<to>[^\s<>:]{0,320})>?: ?")


def _exim_refused(said: str, at: str, lines: LineRange) -> Delivery | None:
    """Exim's own refusals: 'H=host [ip] F=<a@b> rejected RCPT <c@d>: why'. The code is not in the log."""
    found = _EXIM_REFUSED.search(said)
    if found is None:
        return None
    to = _EXIM_TO.match(found["rest"])
    words = found["rest"][to.end() :] if to is not None else found["rest"]
    code = "451" if found["later"] else "550"
    return Delivery(
        outcome=AttemptOutcome.DELAYED if found["later"] else AttemptOutcome.FAILED,
        recipient=to["to"] if to is not None and found["command"] == "RCPT" else "",
        words=f"{code} {words.strip(' :')}".strip(),
        command=found["command"],
        speaker=Party.OWN,
        since=at,
        lines=lines,
    )


# --- msmtp ---

_MSMTP = re.compile(r"(?P<name>\w{1,20})=(?:'(?P<quoted>[^']{0,1000})'|(?P<bare>[^\s']{0,500}))")


def _msmtp(said: str, at: str, lines: LineRange) -> Delivery | None:
    if "exitcode=EX_" not in said:
        return None
    fields = {each["name"]: each["quoted"] or each["bare"] or "" for each in _MSMTP.finditer(said)}
    reply, error = fields.get("smtpmsg", ""), fields.get("errormsg", "")
    return Delivery(
        outcome=AttemptOutcome.ACCEPTED if fields.get("exitcode") == "EX_OK" else AttemptOutcome.FAILED,
        recipient=fields.get("recipients", ""),
        words=" ".join(
            each for each in (reply, f"({error})" if reply and error else error or fields["exitcode"]) if each
        ),
        server=fields.get("host", "").lower(),
        speaker=Party.OWN,
        since=at,
        lines=lines,
    )
