"""What letters of refusal say to people: which address, which server, why, and whether it is final.

There is no form for it (RFC 3464 came after most of the programs), but few ways of putting it: an address on a line,
perhaps in angle brackets; 'said:' or 'the reason:' before the words that count; a sentence that it is only a warning.
"""

from __future__ import annotations

import re

LONGEST_REASON = 3_000

_ADDRESS = re.compile(r"(?<![\w.+/=@-])[\w.!#$%&'*+/=?^`{|}~-]{1,64}@(?:[\w-]{1,63}\.){1,8}[\w-]{2,63}", re.UNICODE)
_SENDERS = re.compile(
    r"^(?:mailer-?daemon|post(?:master|office)|mail-?daemon|double-bounce|bounces?|abuse|support|helpdesk|no-?reply)\b",
    re.IGNORECASE,
)


def address_in(text: str) -> str:
    """Return the first mail address in a text, '' where there is none."""
    found = _ADDRESS.search(text)
    return found[0].strip("'`") if found is not None else ""


_POINTS_TO = re.compile(
    r"(?:following (?:address|recipient|e-?mail|mail)\w*|these recipients?|not (?:be )?delivered to"
    r"|could not be delivered to|failed (?:permanently )?(?:for|to)|wasn't delivered to|reach the following"
    r"|addresses? (?:failed|had)|fatal errors?|recipients? (?:failed|of your)"
    r"|empf.nger|destinataires?|destinatarios?|destinat.rios?|ontvangers?|宛先|收件人)\b",
    re.IGNORECASE,
)


def recipient_in(body: str) -> str:
    """Return the address that a letter says was not reached: behind the words that announce it, or the first one."""
    announced = _POINTS_TO.search(body)
    for part in (body[announced.end() : announced.end() + 600] if announced is not None else "", body[:LONGEST_REASON]):
        for found in _ADDRESS.finditer(part):
            if _SENDERS.match(found[0]) is None:
                return found[0].strip("'`")
    return ""


_BEFORE_REASON = re.compile(
    r"(?:\bsaid|remote host said|(?:server|error|response|reply|reason|diagnostic)[^\n:]{0,60}(?:was|is"
    r"|returned|follows|code)?)\s{0,4}:\s"
    r"|for the following reasons?\s{0,4}[:.]?\s|diagnostic information for administrators:"
    r"|remote server returned|transcript of session follows[ -]{0,40}\s"
    r"|technical details of (?:permanent|temporary) failure:|smtp error from remote (?:mail server"
    r"|mailer) after|error during the last delivery attempt:"
    r"|(?:fehlermeldung|grund|ursache|begr.ndung|raison|motif|motivo|reden|pow.d|理由|原因)[^\n:]{0,40}[::]\s",
    re.IGNORECASE,
)


def reason_in(body: str) -> str:
    """Return the part of a letter that says why: from the words that announce it on; else the whole."""
    found = _BEFORE_REASON.search(body)
    if found is None or found.end() > len(body) - _SHORTEST:
        return body
    start = (
        found.start()
        if found[0].lower().startswith(("diagnostic", "smtp error", "remote server", "technical"))
        else found.end()
    )
    return body[start : start + LONGEST_REASON]


_SHORTEST = 8
_SERVER = re.compile(
    r"(?:\bhost|(?<!generating )\bserver|relay"
    r"|by)[ :]{1,3}(?:for the domain [\w.-]{1,253} by )?\[?'?"
    r"(?P<host>(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.){1,8}[a-z]{2,24})",
    re.IGNORECASE,
)


def server_in(text: str) -> str:
    """Return the server that a letter says refused, '' where it names none."""
    found = _SERVER.search(text)
    return found["host"].lower() if found is not None else ""


_REFUSER = re.compile(
    r"\bhost\s{1,8}(?P<host>(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.){1,8}[a-z]{2,24})\[[^\s\[\]]{2,45}\](?::\d{1,5})?"
    r"\s{1,8}(?:said|refused)",
    re.IGNORECASE,
)


def refuser_in(body: str, reporter: str) -> str:
    """Return the server that a letter says refused; the one that wrote the letter only where it is named alone."""
    said = _REFUSER.search(body)
    if said is not None:
        return said["host"].lower()
    named = [found["host"].lower() for found in _SERVER.finditer(body[:LONGEST_REASON])]
    return next((each for each in named if each != reporter), named[0] if named else "")


_EXPANDED = re.compile(r"\(expanded\s{1,8}from\s{1,8}<?(?P<written>[^\s<>()]{3,320}@[^\s<>()]{3,253})>?\)")


def expanded_from(body: str) -> str:
    """Return the address that was written to, where Postfix says that an alias leads on; '' where it does not."""
    found = _EXPANDED.search(body)
    return address_in(found["written"]) if found is not None else ""


_COMMAND = re.compile(
    r"\(?in\s{1,8}reply\s{1,8}to\s{1,8}(?P<postfix>end\s{1,8}of\s{1,8}DATA|[A-Z]{4,8}(?:\s{1,8}[A-Z]{2,4})?)\s{1,8}command"
    r"|after (?:pipelined )?(?P<exim>end of data|MAIL FROM|RCPT TO|DATA|EHLO|HELO|initial connection"
    r"|pipelined end of data)\b|>>> (?P<sendmail>MAIL|RCPT|DATA)\b"
)


def command_in(text: str) -> str:
    """Return the command that was answered with a refusal, as the letter names it; '' where it does not."""
    found = _COMMAND.search(text)
    return " ".join((found["postfix"] or found["exim"] or found["sendmail"]).split()) if found is not None else ""


_DELAY = re.compile(
    r"warning message only|\(delay\)|delivery (?:has been |is |status notification \()?delay|(?:still"
    r"|will) be(?:ing)? (?:retried|attempted)|will (?:continue|keep) (?:to )?try|will retry"
    r"|temporary problem delivering|"
    r"do(?:n.t| not) need to (?:resend|re-send)|no action is (?:required|needed)"
    r"|quarantined?\b.{0,60}(?:released?|review)|(?:awaits?|until) .{0,40}(?:approval|moderator)"
    r"|has not yet been delivered|not been delivered yet|will be retried|delivery attempts will continue|"
    r"noch nicht zugestellt|verz.gert|weitere zustellversuche|pas encore .t. (?:remis|distribu)"
    r"|a.n no (?:se )?ha|retrasad|ainda n.o foi|attrasad|non . ancora stat|nog niet (?:afgeleverd"
    r"|bezorgd)|jeszcze nie|遅延|延迟|延遲",
    re.IGNORECASE,
)
_GIVEN_UP = re.compile(
    r"given up|giving up|too long|expired|no further|permanent (?:error|failure)"
    r"|retry time(?:out)? (?:limit )?exceeded|could not be delivered for|maximum .{0,20}(?:time|age)|endg.ltig",
    re.IGNORECASE,
)
_TRIES_ON = re.compile(
    r"\b(?:retried|retry|trying|try|attempts?|continue|versuch\w{0,8})\b[^.\n]{0,100}", re.IGNORECASE
)
_UNTIL = re.compile(r" (?:for|until|up to|bis) (?P<until>[^\n,;]{3,60}(?:, \d[^\n,;]{2,40})?)", re.IGNORECASE)
_REPORTER = re.compile(
    r"(?:generating server|reporting-mta: ?dns;|mail system at host|program at|queue on|host) ?:? ?"
    r"(?P<host>(?:[a-z0-9-]{1,63}\.){1,8}[a-z]{2,24})",
    re.IGNORECASE,
)


def reporter_in(text: str) -> str:
    """Return the server that wrote a letter and could not deliver the message, '' where it does not say."""
    found = _REPORTER.search(text)
    return found["host"].lower() if found is not None else ""


def is_delay(text: str) -> bool:
    """Whether a letter only says that the message is late: its server goes on trying."""
    return _DELAY.search(text) is not None and _GIVEN_UP.search(text) is None


def until_in(text: str) -> str:
    """Return how long a server goes on trying, in its own words; '' where it does not say."""
    for tries in _TRIES_ON.finditer(" ".join(text[:LONGEST_REASON].split())):
        found = _UNTIL.search(tries[0])
        if found is not None and any(ch.isdigit() for ch in found["until"]):
            return found["until"].strip()
    return ""


_FORWARDED = re.compile(
    r"error for \S{3,320} of |forward(?:ed|ing)?\b.{0,80}(?:fail|error|reject|refus)|said:.{0,400}\bsaid:"
    r"|invalid greeting\. response=|generated from \S{3,320}@",
    re.IGNORECASE | re.DOTALL,
)


def is_forwarded(words: str) -> bool:
    """Whether the words are those of a server behind a forwarding one, which says them on."""
    return _FORWARDED.search(words[:LONGEST_REASON]) is not None
