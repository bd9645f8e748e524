"""Tasks beside the main loop: none dies unseen."""

from __future__ import annotations

import asyncio
import logging

import pytest

from monitor.service.problems import Problems
from monitor.service.timers import Timers


async def test_work_that_fails_is_told_and_has_its_next_turn(caplog: pytest.LogCaptureFixture) -> None:
    problems, again = Problems(), asyncio.Event()
    failures: list[str] = []
    turns = 0

    def work() -> None:
        nonlocal turns
        turns += 1
        if turns == 1:
            raise ZeroDivisionError("no beds")
        again.set()

    timers = Timers(problems, failures.append)
    timers.every(0.001, "measuring", work, at_once=True)
    await asyncio.wait_for(again.wait(), 60)
    await timers.close()
    assert problems.sentences() == ["measuring failed (ZeroDivisionError: no beds)"]
    assert problems.shown() == problems.sentences()
    assert failures == []
    assert "Traceback" in caplog.text


async def test_a_task_that_the_service_cannot_go_on_without_ends_it_with_a_sentence() -> None:
    problems: Problems = Problems()
    failures: asyncio.Queue[str] = asyncio.Queue()

    async def work() -> None:
        raise OSError(5, "input/output error")

    timers = Timers(problems, failures.put_nowait)
    timers.start("the recorder", work())
    sentence = await asyncio.wait_for(failures.get(), 60)
    await timers.close()
    assert sentence == "the recorder failed (OSError: [Errno 5] input/output error)"
    assert problems.sentences() == [sentence]


async def test_a_task_that_somebody_cancels_is_missed_and_an_orderly_end_is_none() -> None:
    failures: asyncio.Queue[str] = asyncio.Queue()
    timers = Timers(Problems(), failures.put_nowait)
    timers.every(60.0, "saving", lambda: None)
    timers.every(60.0, "measuring", lambda: None)
    next(task for task in asyncio.all_tasks() if task.get_name() == "saving").cancel()
    assert await asyncio.wait_for(failures.get(), 60) == "saving was ended from outside"
    await timers.close()
    assert failures.empty()
    assert not {task.get_name() for task in asyncio.all_tasks()} & {"saving", "measuring"}


def test_unusable_messages_push_no_failure_out(caplog: pytest.LogCaptureFixture) -> None:
    problems = Problems()
    for _ in range(3):  # the same again is one sentence, and one traceback
        problems.failed("publisher", ValueError("bad"))
    for number in range(100):
        problems.unusable("ecg/v1/a/wave", f"junk {number}")
    assert problems.sentences()[0] == "publisher failed (ValueError: bad)"
    assert problems.sentences()[-1] == "skipped a message on ecg/v1/a/wave: junk 99"
    assert len(problems.sentences()) == 6
    assert len([record for record in caplog.records if record.levelno == logging.ERROR]) == 1


def test_a_failure_leaves_the_status_line_after_a_minute() -> None:
    now = 100.0
    problems = Problems(lambda: now)
    problems.add("the disk is full")
    assert problems.shown() == ["the disk is full"]
    now += 61
    assert problems.shown() == []
    assert problems.sentences() == ["the disk is full"]
