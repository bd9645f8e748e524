"""What the monitor makes of simulated rhythms, against what the definition of each asks for.

`python -m tests.support.simulated` prints the table of docs/simulator.md.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ecg.model import weights
from ecg.records.aami import CLASS_OF, CLASSES
from ecg.records.ec57 import Score, match, match_window
from ecg.records.record import Record
from ecg.rhythms.simulation.catalogue import ECTOPY, RHYTHMS
from ecg.rhythms.simulation.orders import Orders
from ecg.settings import Config
from monitor.evaluation.replay import Heard, listen
from monitor.evaluation.simulated import RATE, record_of

SINUS_SECONDS = 30.0
SECONDS = 70.0
"""Sinus rhythm at first, then the rhythm."""
SLOW_SECONDS = 70.0
"""An irregular rhythm is known by 48 RR intervals, a rate of V by a minute: within that time."""


@dataclass(frozen=True, slots=True)
class Asked:
    """One row. orders: what begins after SINUS_SECONDS. alarms: one of these must come, and no other; () for none.

    within: s from the beginning. besides: may come as well. also: sinus before it is otherwise.
    """

    name: str
    orders: Orders
    alarms: tuple[str, ...]
    within: float = 10.0
    besides: tuple[str, ...] = ()


def _asked() -> list[Asked]:
    alarms: dict[str, tuple[tuple[str, ...], float, tuple[str, ...]]] = {
        "bradycardia": (("bradycardia",), 10, ()),
        "tachycardia": (("tachycardia",), 10, ()),
        "pauses": (("pause",), 15, ("bradycardia", "atrial_fibrillation")),
        "af": (("atrial_fibrillation",), SLOW_SECONDS, ("tachycardia",)),
        "flutter_2_1": (("tachycardia",), 10, ()),
        "flutter": ((), 0, ("atrial_fibrillation", "tachycardia")),
        "svt": (("extreme_tachycardia",), 10, ("tachycardia",)),
        "junctional": (("bradycardia",), 10, ()),
        "ventricular_escape": (("extreme_bradycardia",), 15, ("bradycardia", "ventricular_run")),
        "idioventricular": (("ventricular_rhythm",), 10, ("ventricular_run", "couplet")),
        "vt": (
            ("ventricular_tachycardia",),
            10,
            ("nonsustained_vt", "extreme_tachycardia", "tachycardia", "couplet", "r_on_t"),
        ),
        "torsades": (
            ("ventricular_tachycardia", "fibrillation"),
            10,
            (
                "nonsustained_vt",
                "extreme_tachycardia",
                "tachycardia",
                "frequent_v",
                "couplet",
                "ventricular_run",
                "r_on_t",
            ),
        ),
        "vf": (("fibrillation",), 10, ()),
        "vf_fine": (
            ("fibrillation", "asystole"),
            10,
            ("pause", "bradycardia", "nonsustained_vt", "ventricular_tachycardia"),
        ),
        "asystole": (("asystole",), 10, ("pause", "bradycardia", "extreme_bradycardia")),
        "standstill": (("asystole",), 10, ("pause", "bradycardia", "extreme_bradycardia")),
        "wenckebach": ((), 0, ("atrial_fibrillation",)),
        "mobitz_2": ((), 0, ("atrial_fibrillation", "bradycardia")),
        "av_block_3": (("bradycardia",), 15, ("ventricular_run", "extreme_bradycardia")),
        "paced_failure_to_capture": ((), 0, ("bradycardia", "ventricular_run", "atrial_fibrillation")),
        "paced_failure_to_sense": ((), 0, ("atrial_fibrillation",)),
    }
    extra: dict[str, tuple[str, ...]] = {
        "couplets": ("couplet",),
        "triplets": ("nonsustained_vt",),
        "bigeminy": ("bigeminy",),
        "trigeminy": ("trigeminy",),
        "r_on_t": ("r_on_t",),
    }
    by_chance = {"pvcs_multiform": ("bigeminy", "trigeminy", "couplet"), "triplets": ("tachycardia",)}
    rows = []
    for name in RHYTHMS:
        wanted, within, besides = alarms.get(name, ((), 0.0, ()))
        over = 15.0 if name == "tachycardia" else 0.0  # a sinus node quickens little by little
        often = ("frequent_v",) if RHYTHMS[name].symbol in ("V", "E") else ()
        rows.append(Asked(name, Orders(rhythm=name, over=over), wanted, within + over, (*besides, *often)))
    for name in ECTOPY:
        if name != "none":
            frequent = ("frequent_v", *by_chance.get(name, ())) if not ECTOPY[name].atrial else ()
            orders = Orders(ectopy=name, per_minute=None if ECTOPY[name].after else 12.0)
            rows.append(Asked(name, orders, extra.get(name, ()), 40.0, frequent))
    changed = {
        "st_elevation": Orders(st=0.4),
        "hyperkalaemia": Orders(potassium=8.0),
        "wander": Orders(artefacts={"wander": 1.0}),
        "muscle": Orders(artefacts={"muscle": 1.0}),
        "mains": Orders(artefacts={"mains50": 1.0}),
        "motion": Orders(artefacts={"motion": 1.0}),
    }
    noise = {"muscle": ("cannot_analyse",), "mains": ("cannot_analyse",)}
    rows += [Asked(name, orders, (), 0.0, noise.get(name, ())) for name, orders in changed.items()]
    off = ("pause", "bradycardia", "cannot_analyse")
    rows.append(Asked("leads_off", Orders(off=["II", "V1"]), ("lead_off",), 10.0, off))
    rows.append(Asked("swapped_arms", Orders(swap="RA-LA"), ()))
    return rows


ASKED = _asked()


@dataclass(frozen=True, slots=True)
class Row:
    """What came of one rhythm.

    after: s until the alarm asked for was raised, None where it never was. others: alarms that came and should not
    have. beats: found, missed and false ones. right: share of found beats whose class is right; instead: classes that
    the others got, with their number. true: classes there were.
    """

    asked: Asked
    after: float | None
    others: tuple[str, ...]
    beats: Score
    right: float
    instead: dict[str, int]
    true: str

    @property
    def alarms_right(self) -> bool:
        """The alarm asked for came within its time, and no other."""
        in_time = self.after is not None and self.after <= self.asked.within
        return not self.others and (in_time or not self.asked.alarms)


def records(seed: str = "table") -> list[Record]:
    """Every rhythm of the table after sinus rhythm."""
    begin = round(SINUS_SECONDS * RATE)
    return [
        record_of(
            one.name,
            [(0, Orders(rhythm="sinus", rate=75)), (begin, one.orders)],
            SINUS_SECONDS + SECONDS,
            f"{seed} {n}",
        )
        for n, one in enumerate(ASKED)
    ]


def table(played: list[Record], model: str = "memory-gru") -> list[Row]:
    """The rows, by the weights of that name."""
    fitted, card = weights.load(model)
    heard = listen(played, Config(), fitted, "cpu", doubt=card.doubt)
    return [_row(asked, record, one) for asked, record, one in zip(ASKED, played, heard, strict=True)]


def _row(asked: Asked, record: Record, heard: Heard) -> Row:
    begin = round(SINUS_SECONDS * RATE)
    notes = record.annotations
    assert notes is not None
    changes = notes.index[(notes.symbol == "+") & (notes.index > 0)]
    onset = int(changes[0]) if asked.orders.rhythm not in (None, "sinus") and len(changes) else begin
    raised = [one for one in heard.raised if one.raised >= begin]
    first = min((one.raised for one in raised if one.kind in asked.alarms), default=None)
    others = sorted({one.kind for one in raised} - {*asked.alarms, *asked.besides})
    is_beat = np.array([symbol in CLASS_OF for symbol in notes.symbol]) & (notes.index >= begin)
    fits = is_beat & (notes.index < len(record.samples) - RATE)
    reference, named = notes.index[fits], [CLASS_OF[symbol] for symbol in notes.symbol[fits]]
    test = heard.index
    ours, theirs = match(reference, test, match_window(RATE))
    inside = (test >= begin) & (test < len(record.samples) - RATE)
    score = Score(int((ours >= 0).sum()), int((ours < 0).sum()), int((inside & (theirs < 0)).sum()))
    pairs = [(named[at], heard.classes[partner]) for at, partner in enumerate(ours) if partner >= 0]
    wrong = [said for wanted, said in pairs if said != wanted]
    return Row(
        asked,
        None if first is None else (first - onset) / RATE,
        tuple(others),
        score,
        (len(pairs) - len(wrong)) / len(pairs) if pairs else float("nan"),
        {cls: wrong.count(cls) for cls in CLASSES if cls in wrong},
        " ".join(cls for cls in CLASSES if cls in named),
    )


def printed(rows: list[Row]) -> str:
    """The table of docs/simulator.md."""
    lines = [
        "| rhythm | alarm asked for | raised after | others raised | beats Se, +P | class: asked, right, instead |",
        "|---|---|---|---|---|---|",
    ]
    for row in rows:
        asked = " or ".join(row.asked.alarms) or "none"
        after = "" if not row.asked.alarms else "**never**" if row.after is None else f"{row.after:.1f} s"
        if row.after is not None and row.asked.alarms and row.after > row.asked.within:
            after = f"**{after}**"
        others = f"**{', '.join(row.others)}**" if row.others else ""
        total = row.beats.found + row.beats.missed
        beats = (
            f"{100 * row.beats.sensitivity:.1f}, {100 * row.beats.predictivity:.1f}"
            if total
            else f"{row.beats.false} false"
        )
        instead = " ".join(f"{count} {cls}" for cls, count in row.instead.items())
        cls = f"{row.true}, {100 * row.right:.0f} %" + (f", {instead}" if instead else "") if row.beats.found else ""
        lines.append(f"| {row.asked.name} | {asked} | {after} | {others} | {beats} | {cls} |")
    return "\n".join(lines).replace("_", " ")


if __name__ == "__main__":
    found = table(records())
    print(printed(found))
    print(f"\n{sum(row.alarms_right for row in found)} of {len(found)} rows have the alarm asked for and no other.")
