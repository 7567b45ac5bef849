"""Calls wait for a save where one is late, so that a crash loses the last second of them and no more."""

import asyncio
from concurrent.futures import ThreadPoolExecutor

from nbchalice.aws.local.server.unsaved import LOOK_SECONDS, Unsaved


def finish(check):
    """Run a coroutine to its end in a thread of its own: where browsers are tested, this one has a running loop."""
    with ThreadPoolExecutor(1) as pool:
        pool.submit(lambda: asyncio.run(check())).result()


async def waits(task):
    """Whether a call that could go on would still not have."""
    await asyncio.sleep(5 * LOOK_SECONDS)
    return not task.done()


def test_calls_wait_until_what_is_too_old_is_written():
    async def check():
        unsaved = Unsaved(most_seconds=0)
        await asyncio.wait_for(unsaved.room(), 60)
        unsaved.note()
        call = asyncio.create_task(unsaved.room())
        assert await waits(call) and unsaved.any and unsaved.waits
        unsaved.begin()
        assert await waits(call) and unsaved.any and not unsaved.waits
        unsaved.end(failed=False)
        await asyncio.wait_for(call, 60)
        assert not unsaved.any

    finish(check)


def test_what_changed_during_a_save_is_in_the_next():
    async def check():
        unsaved = Unsaved(most_seconds=0)
        unsaved.note()
        unsaved.begin()
        unsaved.note()
        unsaved.end(failed=False)
        call = asyncio.create_task(unsaved.room())
        assert await waits(call) and unsaved.waits
        unsaved.begin()
        unsaved.end(failed=False)
        await asyncio.wait_for(call, 60)

    finish(check)


def test_of_what_is_young_nobody_waits():
    async def check():
        unsaved = Unsaved(most_seconds=3600)
        unsaved.note()
        unsaved.begin()
        await asyncio.wait_for(unsaved.room(), 60)

    finish(check)


def test_a_save_that_fails_is_due_again_and_calls_go_on_meanwhile():
    async def check():
        unsaved = Unsaved(most_seconds=3600)
        unsaved.note()
        unsaved.begin()
        unsaved.end(failed=True)
        assert unsaved.waits
        await asyncio.wait_for(unsaved.room(), 60)

    finish(check)
