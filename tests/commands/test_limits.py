"""`limits` and `limits plan`: every row with its source, the old article's beside it, and what a mailing takes."""

from __future__ import annotations

import csv
import re
from datetime import date
from typing import Any

import pytest

from smtp_wizard.engine.limits.catalogue_limits import sender_of
from smtp_wizard.engine.limits.mailing_plan import Mailing, Reserve
from smtp_wizard.engine.limits.mailing_plan import plan as make_plan
from smtp_wizard.engine.providers.catalog import load_catalog
from smtp_wizard.engine.providers.limits import MEGABYTE
from smtp_wizard.text.limits import plan_document, plan_words
from tests.support.cli import Ran, hold, on_terminal, run
from tests.support.rows import each_row

CATALOG = load_catalog()


def rows(*arguments: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = run("limits", *arguments, "--json").document["limits"]
    return found


def plan(*arguments: str) -> Ran:
    return run("limits", "plan", "--start", "2026-11-23", *arguments)


def plan_json(*arguments: str) -> dict[str, Any]:
    ran = plan(*arguments, "--json")
    assert ran.code == 0, ran.err
    return ran.document


# --- the rows ---


def test_every_figure_of_the_article_is_found_as_documented() -> None:
    """Each number in the article's own lines stands in a documented row of that provider."""
    documented: dict[str, set[int]] = {}
    for row in rows():
        if row["documented"] and row["limit"] is not None:
            documented.setdefault(row["provider"], set()).add(row["limit"])
    counted = 0
    for provider in CATALOG.providers:
        for line in provider.documented.limit_lines if provider.documented else ():
            for number, unit in re.findall(r"([\d,]+)\s*(mb)?", line):
                figure = int(number.replace(",", "")) * (MEGABYTE if unit else 1)
                pause = "second pause" in line and figure == 10
                every = figure == 30 and "30 minutes" in line
                assert pause or every or figure in documented[provider.id], (provider.id, line)
                counted += 1
    assert counted > 40


def test_what_the_article_says_in_words_alone_is_a_row_too() -> None:
    (said,) = (row for row in rows("rackspace") if row["documented"] and row["provider"] == "rackspace")
    assert said["limit"] is None
    assert said["scope"].startswith("No limits for messages complying")
    assert "'No limits for messages complying" in run("limits", "rackspace").out


def test_every_figure_has_a_source_and_a_day() -> None:
    found = rows()
    assert len(found) > 200
    for row in found:
        assert (row["limit"] is None and not row["documented"]) or (row["source"] and row["as_of"]), row
        assert not row["source"] or row["source_title"], row


def test_rows_of_today_and_of_the_article_stand_side_by_side() -> None:
    lines = run("limits", "gmail").out.splitlines()
    assert re.search(r"^gmail +500 messages per day .*2024-03-27", lines[1])
    assert any(re.search(r"^gmail +\* +100 messages per day .*old help article", line) for line in lines)


def test_rows_are_filtered_as_providers_are() -> None:
    assert {row["provider"] for row in rows("GOOGLEMAIL.com")} == {"gmail"}
    ran = run("limits", "no such provider")
    assert (ran.code, ran.out) == (4, "")
    assert "'no such provider'" in ran.err


def test_rows_can_be_sorted() -> None:
    names = [row["name"].casefold() for row in rows("--sort", "provider")]
    assert names == sorted(names)
    largest = rows("--sort", "size")[0]["provider"]
    assert max(row["limit"] for row in rows(largest) if row["unit"] == "bytes" and row["limit"]) >= 100 * MEGABYTE
    assert rows("--sort", "limit")[0]["provider"] != rows()[0]["provider"]
    checked = [row["checked"] for row in rows("--sort", "checked")]
    assert checked == sorted(checked, reverse=True)
    assert run("limits", "--sort", "colour", "--json").code == 2


def test_rows_as_csv_are_the_rows_as_json() -> None:
    found = list(csv.DictReader(run("limits", "--csv").out.splitlines()))
    asked = rows()
    assert [row["provider"] for row in found] == [row["provider"] for row in asked]
    for cell, value in zip(found, asked, strict=True):
        assert cell["limit"] == ("" if value["limit"] is None else str(value["limit"]))
        assert cell["documented"] == ("yes" if value["documented"] else "no")
        assert cell["scope"] == value["scope"]


# --- plans ---


def test_a_plan_names_the_limit_that_binds_and_the_last_day() -> None:
    made = plan_json("--provider", "gmail", "--recipients", "5000")
    assert (made["days"], made["ends_at"], made["fits"], made["advice"]) == (10, "2026-12-02", True, [])
    assert made["per_day"] == [500] * 10
    binding = made["binding"]
    assert (binding["provider"], binding["limit"], binding["unit"], binding["per"]) == ("gmail", 500, "messages", "day")
    assert not binding["documented"]
    assert made["interval_seconds"] == 172.8


def test_a_plan_for_a_person_has_numbers_bars_and_what_a_refusal_looks_like() -> None:
    ran = plan("--provider", "gmail", "--recipients", "1,200", "--sent-today", "40", "--reserve", "10%")
    assert ran.code == 0
    assert "1,200 messages: 3 days, from Mon 2026-11-23 to Wed 2026-11-25." in ran.out
    days = r"\nMon 2026-11-23 +410  #{28}\nTue 2026-11-24 +450  #{30}\nWed 2026-11-25 +340  #{23}\n"
    assert re.search(rf"\nDay +Messages{days}", ran.out)
    assert "550 5.4.5 'Daily user sending limit exceeded'" in ran.out
    assert "you have reached your daily sending quota" in ran.out
    assert "1 to 24 hours" in ran.out


def test_several_accounts_have_a_column_each() -> None:
    arguments = ("--provider", "gmail", "--provider", "gmail", "--provider", "cox", "--recipients", "1500")
    made = plan_json(*arguments, "--sent-today", "100", "--sent-today", "200")
    assert [account["per_day"] for account in made["accounts"]] == [[400, 500], [300, 300], []]
    assert made["accounts"][2]["trouble"] == "not-known"
    table = plan(*arguments).out
    assert re.search(r"\nDay +gmail +gmail +All messages\nMon 2026-11-23 +500 +500 +1,000\n", table)
    assert "the limit was not found in our search, and we do not guess" in table
    assert plan(*arguments, *["--sent-today", "1"] * 4, "--json").error["code"] == "usage"


def test_a_plan_as_csv_has_a_line_a_day() -> None:
    lines = plan("--provider", "gmail", "--recipients", "700", "--csv").out.splitlines()
    assert lines == ["date,gmail,messages", "2026-11-23,500,500", "2026-11-24,200,200"]


def test_figures_of_the_old_article_are_never_planned_with() -> None:
    """AOL has figures in the article alone, Lunarpages of the past alone: neither can be planned."""
    for provider in ("aol", "lunarpages"):
        made = plan_json("--provider", provider, "--recipients", "10")
        assert (made["days"], made["per_day"], made["binding"], made["ends_at"]) == (None, [], None, None)
        assert not made["fits"]
        assert any("we do not guess" in note for note in made["notes"])
        assert not any("not published" in note for note in made["notes"]), "nobody knows what they publish"


def test_what_does_not_fit_gets_the_articles_four_ways_in_its_order() -> None:
    made = plan_json("--provider", "godaddy", "--recipients", "50000")
    assert (made["fits"], made["days"]) == (False, 200)
    assert [each["way"] for each in made["advice"]] == ["ask", "provider", "server", "service"]
    assert "500 recipients per day" in made["advice"][0]["words"]
    offered = [each for advice in made["advice"] for each in advice["providers"]]
    assert "google-workspace" in made["advice"][1]["providers"]
    assert len(offered) > 5
    for provider in {offered[0], offered[-1]}:
        assert plan_json("--provider", provider, "--recipients", "50000")["fits"]
    shown = plan("--provider", "godaddy", "--recipients", "50000").out
    assert f"200 days of       250  {'#' * 30}" in shown
    assert "smtp-wizard guide limits" in shown


def test_a_file_that_is_too_large_once_encoded() -> None:
    assert plan_json("--provider", "icloud", "--recipients", "5", "--size", "15")["fits"]
    made = plan_json("--provider", "icloud", "--recipients", "5", "--size", "15.01 MB")
    assert (made["fits"], made["binding"]["unit"], made["advice"][0]["way"]) == (False, "bytes", "smaller")
    assert made["binding"]["size_of"] == "message"
    assert "gmail" in made["advice"][2]["providers"]
    assert "on its way it has" in made["notes"][0]


def test_a_limit_on_the_files_themselves_is_compared_with_them() -> None:
    """Twenty megabytes of files are 27 on their way, and within Gmail's 25 MB of attachments."""
    assert plan_json("--provider", "gmail", "--recipients", "5", "--size", "25")["fits"]
    made = plan_json("--provider", "gmail", "--recipients", "5", "--size", "25.01 MB")
    assert (made["fits"], made["binding"]["size_of"]) == (False, "files")
    assert "25 MB per message, before they are encoded" in made["notes"][0]


def test_the_most_that_anybody_can_have_is_not_what_an_ordinary_account_has() -> None:
    """A message above it fits nobody; of one below it nobody knows."""
    made = plan_json("--provider", "microsoft365", "--recipients", "5", "--size", "100")
    assert made["fits"]
    assert any("no account takes more than 150 MB" in note and "not known to us" in note for note in made["notes"])
    assert not plan_json("--provider", "microsoft365", "--recipients", "5", "--size", "120")["fits"]
    offered = plan_json("--provider", "godaddy", "--recipients", "50000", "--size", "20")["advice"][2]["providers"]
    assert not {"microsoft365", "zoho"} & set(offered)


def test_all_limits_of_a_plan_are_those_of_one_kind_of_account() -> None:
    """Germany counts people and the others messages: neither binds where the other holds."""
    chosen = ("--for", "Germany, contract older than 30 days")
    for words in (chosen, ("--for", "germany")):
        made = plan_json("--provider", "ionos", "--recipients", "1000", *words)
        assert (made["binding"]["limit"], made["binding"]["unit"]) == (5000, "recipients"), words
        assert made["accounts"][0]["account"] == "Germany, contract older than 30 days"
        assert made["interval_seconds"] == 0.72
    new = plan_json("--provider", "ionos", "--recipients", "1000", "--for", "Germany 7 days")
    assert (new["binding"]["limit"], new["binding"]["scope"]) == (50, "Germany, contract up to 7 days old")
    american = plan_json("--provider", "ionos", "--recipients", "1000")
    assert (american["binding"]["limit"], american["binding"]["unit"]) == (500, "messages")
    assert any("5,000 recipients per hour (Germany" in note for note in american["notes"])
    free = plan("--provider", "outlook-com", "--recipients", "1000").out
    assert "Planned with this kind of account at Outlook.com, Hotmail, Live, MSN: free account." in free


def test_no_plan_is_made_with_an_account_from_which_no_mailing_leaves() -> None:
    for provider, words, why in (
        ("fastmail", "basic", "The Basic plan lets no other program send."),
        ("proton", "free", "The free plan lets no other program send."),
        ("amazon-ses", "new", "sends only to addresses that you have proved to be yours."),
        ("mailgun", "free", "sends only to people whom you have entered at Mailgun"),
        ("elastic-email", "without", "sends to the address of your own account alone."),
    ):
        made = plan_json("--provider", provider, "--recipients", "100", "--for", words)
        assert (made["days"], made["accounts"][0]["trouble"]) == (None, "barred"), provider
        assert why in made["notes"][0]
        ordinary = plan_json("--provider", provider, "--recipients", "100")
        assert ordinary["accounts"][0]["trouble"] != "barred"
        assert any(why in note for note in ordinary["notes"])
        assert why in run("limits", provider).out
        assert why in run("providers", "show", provider).out
    assert plan_json("--provider", "fastmail", "--recipients", "100")["binding"]["limit"] == 8000


def test_nobody_is_sent_to_an_account_from_which_no_mailing_leaves_or_to_who_forbids_mailings() -> None:
    for recipients in ("100", "1000", "5000"):
        made = plan_json("--provider", "cox", "--recipients", recipients)
        offered = {each for way in made["advice"] for each in way["providers"]}
        assert offered
        assert not offered & {"proton", "amazon-ses", "mailgun", *(p.id for p in CATALOG.providers if p.no_mailings)}


def test_who_forbids_mailings_says_so_in_the_plan() -> None:
    made = plan_json("--provider", "domeneshop", "--recipients", "1000")
    assert any("0 (zero)" in note for note in made["notes"])


def test_a_mailing_that_is_larger_than_one_may_be_is_not_spread_over_days() -> None:
    """HostGator forbids to divide one: more days do not help."""
    assert plan_json("--provider", "hostgator", "--recipients", "5000")["fits"]
    made = plan_json("--provider", "hostgator", "--recipients", "5001")
    assert (made["days"], made["accounts"][0]["trouble"], made["binding"]["per"]) == (None, "too-many", "mailing")
    assert "to more than 5,000 people" in made["notes"][0]
    assert "hostgator" not in plan_json("--provider", "cox", "--recipients", "9000")["advice"][1]["providers"]


def test_what_ends_is_told_as_the_provider_tells_it() -> None:
    """Microsoft's switch can be switched on again; of GoDaddy no day is known."""
    for provider, words in (("microsoft365", "administrators can switch it on again"), ("godaddy", "no day is named")):
        said = plan_json("--provider", provider, "--recipients", "10")["notes"][0]
        assert words in said
        assert "stops letting programs in" not in said


def test_whoever_runs_the_mailboxes_now_is_named_with_what_it_allows() -> None:
    for provider, successor in (("telus", "Gmail"), ("cox", "Yahoo")):
        notes = plan_json("--provider", provider, "--recipients", "10")["notes"]
        assert any(successor in note and "500 messages per day" in note for note in notes), provider
        assert any("whether the same holds there is not known to us" in note for note in notes)


def test_the_wait_and_the_pace_are_those_of_the_stretch() -> None:
    assert "Stop, and wait five minutes." in plan("--provider", "one-com", "--recipients", "100").out
    assert "one message every second." in plan("--provider", "naver-works", "--recipients", "100").out


def test_json_and_csv_of_a_plan_contradict_each_other() -> None:
    ran = plan("--provider", "gmail", "--recipients", "10", "--json", "--csv")
    assert (ran.code, ran.error["code"]) == (2, "input")


def test_our_ignorance_is_not_told_as_the_providers_silence() -> None:
    """Nobody has looked; we looked and found nothing; the provider says that it does not publish it."""
    for provider, words in (
        ("centurylink", "not known to us"),
        ("cox", "not found in our search"),
        ("aliyun-enterprise", "not published"),
    ):
        rows = [line for line in run("limits", provider).out.splitlines() if " * " not in line]
        shown = run("providers", "show", provider).out.partition("Sending limits")[2]
        told = "\n".join((*rows, shown.partition("What the old help article says")[0]))
        silences = {"not known to us", "not found in our search", "not published"}
        assert {each for each in silences if each in told} == {words}, provider
    assert "nobody has looked yet" in run("limits", "centurylink").out


def test_a_provider_where_no_program_may_send_is_not_asked_for_a_better_account() -> None:
    made = plan_json("--provider", "tuta", "--recipients", "5")
    assert [each["way"] for each in made["advice"]] == ["provider", "server", "service"]
    assert "no other program" in made["notes"][0]


def test_a_plan_says_where_no_application_with_a_password_gets_in() -> None:
    """The person may ask for it all the same; nobody is sent there."""
    closed = plan_json("--provider", "outlook-com", "--recipients", "100000")
    assert closed["accounts"][0]["access"] == "closed"
    assert "no program in with a password" in closed["notes"][0]
    assert [each["way"] for each in closed["advice"]] == ["provider", "server", "service"]
    disputed = plan("--provider", "yahoo", "--recipients", "10").out
    assert "whether it still lets programs in with a password is disputed" in disputed
    assert "Makers of mail programs say" in disputed
    ending = plan_json("--provider", "microsoft365", "--recipients", "10")
    assert (ending["accounts"][0]["access"], ending["fits"]) == ("closing", True)
    assert "2026-12-31" in ending["notes"][0]
    open_ = plan_json("--provider", "gmail", "--recipients", "100000")
    assert open_["accounts"][0]["access"] == "open"
    assert not [each for each in open_["notes"] if "password" in each]
    proposed = {each for way in open_["advice"] for each in way["providers"]}
    assert proposed
    assert not proposed & {"outlook-com", "yahoo", "aol", "microsoft365", "tuta"}


def test_one_of_several_figures_can_be_chosen() -> None:
    ordinary = plan("--provider", "google-workspace", "--recipients", "3000")
    assert "2 days" in ordinary.out
    assert "500 messages per day (per user, trial account)" in ordinary.out
    assert plan_json("--provider", "google-workspace", "--recipients", "3000", "--for", "trial")["days"] == 6
    wrong = plan("--provider", "google-workspace", "--recipients", "3000", "--for", "gold", "--json")
    assert (wrong.code, wrong.error["code"]) == (4, "no-such-scope")
    assert "trial account" in wrong.error["hint"]


def test_keeping_all_of_it_free_is_said() -> None:
    made = plan_json("--provider", "gmail", "--recipients", "5", "--reserve", "500")
    assert made["advice"][0]["way"] == "keep-less"
    assert "all that Gmail lets you send" in made["notes"][0]


def test_a_plan_longer_than_ten_years_is_none() -> None:
    made = plan_json("--provider", "gmail", "--recipients", "100000000")
    assert (made["days"], made["per_day"], made["fits"]) == (None, [], False)
    assert "more than 10 years" in plan("--provider", "gmail", "--recipients", "100000000").out


@each_row("provider", [each.id for each in CATALOG.providers])
def test_every_provider_can_be_asked_for_a_plan(provider: str) -> None:
    known = CATALOG.get(provider)
    assert known is not None
    mailing = Mailing(recipients=2000, each=2, reserve=Reserve(5), start=date(2026, 11, 23))
    made = make_plan(mailing, [sender_of(known)])
    facts = plan_document(made, CATALOG).to_json()
    hold(facts, "limits-plan")
    assert facts["days"] is None or sum(facts["per_day"]) == 4000
    assert facts["fits"] or facts["advice"]
    assert plan_words(made, CATALOG)[0].startswith("4,000 messages (2,000 recipients, 2 messages each): ")


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["--recipients", "5"], 2),
        (["--provider", "gmail"], 2),
        (["--provider", "gmial", "--recipients", "5"], 4),
        (["--provider", "gmail", "--recipients", "many"], 2),
        (["--provider", "gmail", "--recipients", "0"], 2),
        (["--provider", "gmail", "--recipients", "5", "--size", "big"], 2),
        (["--provider", "gmail", "--recipients", "5", "--reserve", "101%"], 2),
        (["--provider", "gmail", "--recipients", "5", "--start", "soon"], 2),
        (["--provider", "gmail", "--recipients", "5", "--messages-each", "x"], 2),
    ],
)
def test_what_cannot_be_planned_from_says_why(arguments: list[str], code: int) -> None:
    ran = run("limits", "plan", *arguments, "--json")
    assert ran.code == code
    assert ran.error["message"]


def test_on_a_terminal_a_plan_and_a_provider_are_folded_and_a_pipe_gets_them_whole() -> None:
    for words in (("limits", "plan", "--provider", "gmail", "--recipients", "900"), ("providers", "show", "gmail")):
        shown = on_terminal([*words], rows=300).out
        assert max(map(len, shown.splitlines())) <= 80 or "https://" in max(shown.splitlines(), key=len)
        assert max(map(len, run(*words).out.splitlines())) > 100
