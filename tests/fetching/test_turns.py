from __future__ import annotations

import asyncio
import random
from collections import Counter

from finegraft.fetching.turns import Turns


def host_of(item: str) -> str:
    return item[0]


def test_hosts_take_turns_and_none_gets_more_than_its_share() -> None:
    async def taken() -> list[str | None]:
        turns = Turns(["a1", "a2", "a3", "b1", "b2", "c1"], host_of, per_host=2)
        first = [await turns.take() for _ in range(5)]
        turns.done("b1")
        turns.done("a1")
        return [*first, await turns.take()]

    assert asyncio.run(taken()) == ["a1", "b1", "c1", "a2", "b2", "a3"]


def test_a_resting_host_is_passed_over_and_comes_back() -> None:
    async def taken() -> list[str | None]:
        turns = Turns(["a1", "a2", "b1"], host_of, per_host=4)
        first = await turns.take()
        turns.rest("a", 0.01)
        turns.rest("a", 0.02)
        return [first, await turns.take(), await turns.take()]

    assert asyncio.run(taken()) == ["a1", "b1", "a2"]


def test_what_comes_back_comes_before_what_waits() -> None:
    async def taken() -> list[str | None]:
        turns = Turns(["a1", "a2", "a3"], host_of, per_host=1)
        first = await turns.take()
        turns.again("a1", 0.01)
        second = await turns.take()
        await asyncio.sleep(0.05)
        turns.done("a2")
        return [first, second, await turns.take()]

    assert asyncio.run(taken()) == ["a1", "a2", "a1"]


def test_a_host_that_is_slowed_down_gets_one_at_a_time_in_the_end() -> None:
    async def waiting() -> bool:
        turns = Turns(["a1", "a2", "a3"], host_of, per_host=4)
        for _ in range(5):
            turns.slow_down("a")
        turns.slow_down("unknown")
        await turns.take()
        second = asyncio.create_task(turns.take())
        await asyncio.sleep(0)
        still_waits = not second.done()
        turns.done("a1")
        return still_waits and await second == "a2"

    assert asyncio.run(waiting())


def test_a_paced_host_gets_one_at_a_time() -> None:
    async def taken() -> tuple[bool, str | None]:
        turns = Turns(["a1", "a2", "a3"], host_of, per_host=4)
        turns.pace("a", 0)
        turns.pace("unknown", 1)
        first, second = await turns.take(), await turns.take()
        assert (first, second) == ("a1", "a2")
        turns.pace("a", 0.01)
        turns.done("a1")
        third = asyncio.create_task(turns.take())
        await asyncio.sleep(0.05)
        waits = not third.done()  # the rest is over, but a2 is under way
        turns.done("a2")
        return waits, await third

    assert asyncio.run(taken()) == (True, "a3")


def test_no_items_are_done_at_once() -> None:
    async def taken() -> str | None:
        return await Turns([], host_of, per_host=1).take()

    assert asyncio.run(taken()) is None


def test_many_workers_end_every_item_once_within_the_limits() -> None:
    """Whatever happens to items on the way: tries again, rests, slower hosts."""
    chance = random.Random(0)
    items = [f"{host}{number}" for host in "abcdefg" for number in range(40)]
    ended: Counter[str] = Counter()
    active: Counter[str] = Counter()
    most: Counter[str] = Counter()

    async def work(turns: Turns[str]) -> None:
        while (item := await turns.take()) is not None:
            host = host_of(item)
            active[host] += 1
            most[host] = max(most[host], active[host])
            await asyncio.sleep(chance.random() / 1000)
            active[host] -= 1
            if chance.random() < 0.2:
                turns.rest(host, chance.random() / 100)
            if chance.random() < 0.3:
                turns.again(item, chance.random() / 100)
            else:
                ended[item] += 1
                turns.done(item)

    async def run() -> None:
        turns = Turns(items, host_of, per_host=3)
        await asyncio.gather(*(work(turns) for _ in range(12)))

    asyncio.run(run())
    assert ended == Counter(items)
    assert max(most.values()) <= 3
