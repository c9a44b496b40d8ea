"""Whose turn it is: nobody more than allowed at a server, of a provider, in a mailbox; nobody is forgotten."""

from __future__ import annotations

import random
from collections import Counter

from smtp_wizard.engine.services.check_queue import CheckQueue, QueuedCheck


def begun(queue: CheckQueue) -> list[int]:
    """Return who may begin now, one after the other."""
    found = []
    while (queued := queue.next()) is not None:
        found.append(queued.index)
    return found


def test_at_a_server_no_more_begin_than_allowed_and_the_next_when_one_has_ended() -> None:
    queue = CheckQueue(per_host=2, per_provider={})
    waiting = [QueuedCheck(index, "one.example", f"user{index}", "") for index in range(4)]
    for each in waiting:
        queue.add(each)
    assert begun(queue) == [0, 1]
    queue.ended(waiting[1])
    assert begun(queue) == [2]


def test_the_servers_take_turns() -> None:
    queue = CheckQueue(per_host=10, per_provider={})
    for index, host in enumerate(["a", "a", "a", "b", "c"]):
        queue.add(QueuedCheck(index, host, str(index), ""))
    assert begun(queue) == [0, 3, 4, 1, 2]


def test_of_a_mailbox_one_signs_in_at_a_time_and_nobody_else_waits_for_it() -> None:
    queue = CheckQueue(per_host=10, per_provider={})
    waiting = [QueuedCheck(0, "a", "ana", ""), QueuedCheck(1, "a", "ana", ""), QueuedCheck(2, "a", "ben", "")]
    for each in waiting:
        queue.add(each)
    assert begun(queue) == [0, 2]
    queue.ended(waiting[0])
    assert begun(queue) == [1]


def test_a_provider_with_several_servers_is_asked_by_no_more_than_it_allows() -> None:
    queue = CheckQueue(per_host=10, per_provider={"firm": 2})
    waiting = [QueuedCheck(index, f"smtp{index % 3}.firm.example", str(index), "firm") for index in range(6)]
    for each in (*waiting, QueuedCheck(6, "other.example", "x", "")):
        queue.add(each)
    first = begun(queue)
    assert (len([each for each in first if each < 6]), 6 in first) == (2, True)
    queue.ended(waiting[first[0]])
    assert len(begun(queue)) == 1


def test_whatever_the_fleet_all_are_tested_and_no_bound_is_broken() -> None:
    dice = random.Random(15)
    for _ in range(60):
        bounds = {"p": dice.randint(1, 3)}
        per_host = dice.randint(1, 4)
        queue = CheckQueue(per_host=per_host, per_provider=bounds)
        hosts = [dice.choice("abc") for _ in range(dice.randint(1, 90))]
        fleet = [
            QueuedCheck(index, host, f"{host} {dice.randint(0, 12)}", dice.choice(["", "p", "q"]))
            for index, host in enumerate(hosts)
        ]
        for each in fleet:
            queue.add(each)
        under_way: list[QueuedCheck] = []
        done: list[int] = []
        while len(done) < len(fleet):
            while len(under_way) < 12 and (queued := queue.next()) is not None:
                under_way.append(queued)
            assert under_way, "nobody may begin, and nobody is under way"
            assert max(Counter(each.host for each in under_way).values()) <= per_host
            assert max(Counter(each.mailbox for each in under_way).values()) == 1
            assert Counter(each.provider for each in under_way)["p"] <= bounds["p"]
            ended = under_way.pop(dice.randrange(len(under_way)))
            queue.ended(ended)
            done.append(ended.index)
        assert sorted(done) == list(range(len(fleet)))
