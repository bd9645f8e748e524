"""Whatever holds the state of beds: a bed's share comes out as a value and goes back in, in any slot."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import msgspec
import numpy as np
import pytest

from monitor.ward.bed import Bed
from monitor.ward.intake import Intake
from tests.support.wards import ALONE, EXCERPT, MINUTE, Run, messages, part, same

QUARTERS = messages(MINUTE, list(range(90, 21_600, 90)))
OTHER = messages(part(EXCERPT, 40_000, 61_600), list(range(90, 21_600, 90)))

HOLDERS: dict[str, Callable[[Run, str], tuple[Any, tuple[int, ...]]]] = {
    "path": lambda run, bed: (run.ward.path, (run.ward.beds[bed].slot,)),
    "engine": lambda run, bed: (run.ward.engine, (run.ward.beds[bed].slot,)),
    "alarms": lambda run, bed: (run.ward.alarms, (run.ward.beds[bed].slot,)),
    "intake": lambda run, bed: (run.ward.beds[bed].intake, ()),
    "bed": lambda run, bed: (run.ward.beds[bed], ()),
}


def played(*beds: str, quarters: int = 120) -> Run:
    """The first half minute of these beds; every second one plays another piece."""
    run = Run()
    for number, bed in enumerate(beds):
        for wave in (OTHER if number % 2 else QUARTERS)[:quarters]:
            run.ward.wave(bed, wave, 0)
    run.step()
    return run


def plain(saved: Any) -> Any:
    """What was saved, as values that can be compared."""
    return msgspec.to_builtins(
        saved, enc_hook=lambda value: (str(value.dtype), value.tolist()) if isinstance(value, np.ndarray) else value
    )


def restore(holder: Any, where: tuple[int, ...], saved: Any) -> None:
    holder.restore(saved, 0.0) if isinstance(holder, Bed) else holder.restore(*where, saved)


def text(saved: Any) -> str:
    """Comparable with NaN in it."""
    return repr(plain(saved))


@pytest.mark.parametrize("kind", HOLDERS)
def test_what_is_saved_is_saved_again_after_it_was_put_into_another_place(kind: str) -> None:
    one, other = played("a"), played("x", "a", quarters=7)
    (holder, where), (there, place) = HOLDERS[kind](one, "a"), HOLDERS[kind](other, "a")
    saved = holder.save(*where)
    assert text(there.save(*place)) != text(saved)
    restore(there, place, saved)
    assert text(there.save(*place)) == text(saved)


@pytest.mark.parametrize("kind", HOLDERS)
def test_what_was_saved_is_not_changed_by_what_comes_after(kind: str) -> None:
    run = played("a", quarters=60)
    holder, where = HOLDERS[kind](run, "a")
    saved = holder.save(*where)
    before = text(saved)
    restore(holder, where, saved)
    for wave in QUARTERS[60:160]:
        run.ward.wave("a", wave, 0)
        run.step()
    assert text(saved) == before
    assert text(holder.save(*where)) != before


@pytest.mark.parametrize("kind", ["path", "engine", "alarms"])
def test_no_other_slot_notices_and_growing_changes_nothing(kind: str) -> None:
    run = played("a", "b")
    holder, where = HOLDERS[kind](run, "a")
    _, neighbour = HOLDERS[kind](run, "b")
    saved, beside = holder.save(*where), text(holder.save(*neighbour))
    holder.grow(300)
    assert text(holder.save(*where)) == text(saved)
    holder.restore(299, saved)
    assert text(holder.save(299)) == text(saved)
    assert text(holder.save(*neighbour)) == beside


@pytest.mark.parametrize("kind", ["path", "engine", "alarms", "intake"])
def test_what_does_not_fit_is_refused(kind: str) -> None:
    run = played("a")
    holder, where = HOLDERS[kind](run, "a")
    saved = holder.save(*where)
    if kind == "engine":
        wrong = [saved[:, 1:], saved.astype(np.float64), np.full_like(saved, np.nan)]
    elif kind == "alarms":
        wrong = [msgspec.structs.replace(saved, signs=saved.signs | {"unknown": 1})]
        wrong.append(msgspec.structs.replace(saved, signs=dict(list(saved.signs.items())[1:])))
    else:
        key = next(iter(saved))
        wrong = [saved | {"unknown": saved[key]}, {name: value for name, value in saved.items() if name != key}]
        wrong += [saved | {"rate": np.asarray(0.0)}] if kind == "path" else [saved | {"rate": 0.0}]
    for one in wrong:
        with pytest.raises(ValueError):  # noqa: PT011 - each holder has its own words
            holder.restore(*where, one)


def test_a_bed_goes_on_in_another_ward_beside_others() -> None:
    one, other = played("a"), played("x", "y", "z", quarters=30)
    saved = one.ward.save("a")
    assert saved is not None
    other.ward.restore(copy.deepcopy(saved))
    for wave in QUARTERS[120:]:
        other.ward.wave("a", wave, 0)
        other.step()
    other.finish()
    same(one.of("a") + other.of("a"), ALONE.of("a"))


def test_a_bed_with_signal_that_waits_or_none_at_all_cannot_be_saved() -> None:
    run = Run()
    assert run.ward.save("a") is None
    run.ward.admit("a")
    assert run.ward.save("a") is None
    run.ward.wave("a", QUARTERS[0], 0)
    assert run.ward.save("a") is None
    run.step()
    assert run.ward.save("a") is not None


def test_an_intake_saves_every_field_that_is_its_own() -> None:
    saved = played("a").ward.beds["a"].intake.save()
    assert set(Intake.__dataclass_fields__) - set(saved) == {
        "bed",
        "settings",
        "ledger",
        "blocks",
        "owner",
        "_read_by",
        "_later",
        "_stood",
    }
