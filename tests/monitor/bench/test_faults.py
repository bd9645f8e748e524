"""Faults, hostile inputs and hours: the benchmarks of bad days in their smallest form."""

from __future__ import annotations

import json
import random
import re
import signal
from pathlib import Path

import pytest
from wfdb.io import _coreio, _header, _signal, annotation, record

from ecg.errors import UserError
from ecg.model import weights
from ecg.records import tables, wfdb
from ecg.records.record import Record
from monitor.bench import faults, file_decoders, fuzz, soak
from monitor.bench.decoders import DECODERS
from monitor.bench.file_decoders import Decoder
from monitor.cli import main
from tests.support.brokers import MOSQUITTO


@pytest.mark.skipif(MOSQUITTO is None, reason="mosquitto is not installed")
def test_a_broker_that_is_killed_costs_no_beat_and_no_sample(tmp_path: Path) -> None:
    file = tmp_path / "faults.json"
    words = ["--short", "--times", "1", "--only", "broker killed", "--json", str(file)]
    assert main(["bench", "faults", *words]) == 0
    row = json.loads(file.read_text())["faults"]["broker killed"]
    assert row["beats"] > 0 and row["balanced"]
    assert (row["beats_lost"], row["beats_beside"], row["beats_twice"], row["onsets_twice"], row["lost"]) == (0,) * 5
    assert (row["beats_otherwise"], row["alarms_differ"], row["retained_right"]) == (0, 0, True)
    assert len(row["recovered_s"]) == 1


def test_a_fault_that_a_machine_does_not_allow_is_a_row_that_says_so() -> None:
    line = faults.line("link bad", {"not_here": "tc netem: unknown"})
    assert line[:2] == ["link bad", "not here: tc netem: unknown"] and len(line) == len(faults.HEADS)


def test_what_names_no_fault_and_no_decoder_is_refused() -> None:
    for kind in ("faults", "fuzz"):
        with pytest.raises(UserError, match="--only 'flood' names no"):
            main(["bench", kind, "--only", "flood"])


@pytest.mark.parametrize("name", sorted(DECODERS))
def test_every_decoder_reads_what_is_right_and_refuses_what_is_wrong(name: str) -> None:
    decoder = DECODERS[name]()
    for seed in decoder.seeds:
        decoder.read(seed)
    for wrong in (b"", b"\xff" * 50, decoder.seeds[0][: len(decoder.seeds[0]) // 2]):
        try:
            decoder.read(wrong)
        except decoder.own:
            continue


@pytest.mark.parametrize("name", fuzz.WFDB)
def test_inputs_that_are_read_more_quickly_are_read_as_before(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    decoder, inputs = DECODERS[name](), []

    def told(data: bytes) -> str:
        try:
            found: Record = decoder.read(data)  # type: ignore[assignment]
        except decoder.own as error:
            return re.sub(r"ecg-header-\w+", "", str(error))
        notes = found.annotations
        said = None if notes is None else (notes.index.tolist(), notes.symbol.tolist(), notes.rhythm.tolist())
        return repr((found.leads, found.rate, found.gain, found.samples.tolist(), said))

    def keep(data: bytes) -> None:
        inputs.append(data)
        if len(inputs) == 150:
            raise StopIteration

    with pytest.raises(StopIteration):
        fuzz.mutate(keep, decoder.seeds, random.Random(3))  # type: ignore[arg-type]
    before = [told(data) for data in inputs]
    for module in (_coreio, _signal, annotation, record):
        monkeypatch.setattr(module, "fsspec", module.fsspec)  # put back afterwards
    for table in file_decoders.TABLES:
        monkeypatch.setattr(_header, table, getattr(_header, table))
    kind = annotation.Annotation
    monkeypatch.setattr(kind, "convert_label_attribute", kind.convert_label_attribute)
    file_decoders.quicken()
    assert [told(data) for data in inputs] == before
    assert any(said.startswith("(") for said in before)


def test_hostile_inputs_are_counted_and_what_comes_out_is_told(tmp_path: Path) -> None:
    file = tmp_path / "fuzz.json"
    assert main(["bench", "fuzz", "--inputs", "400", "--only", "wave", "--json", str(file)]) == 0
    told = json.loads(file.read_text())
    row = told["decoders"]["wave"]
    assert (row["inputs"], row["failures"], row["errors"]) == (400, 0, {})
    assert row["rejected"] > 0 and told["guided_by"][-1] == "mutations"


def test_an_input_that_takes_too_long_or_too_much_is_told_whatever_its_decoder_makes_of_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def hung(_number: int, _frame: object) -> None:
        raise fuzz.HangError("too long")

    def read(data: bytes) -> None:
        try:
            while data == b"long":
                pass
        except Exception as error:
            raise ValueError from error

    peaks = iter([100, 100, 100 + fuzz.MOST_MIB, 700 + fuzz.MOST_MIB])
    monkeypatch.setattr(fuzz, "peak_mib", lambda: next(peaks))
    monkeypatch.setattr(fuzz, "HANG_SECONDS", 0.05)
    before = signal.signal(signal.SIGPROF, hung)
    counting = fuzz.Counting(Decoder(read, (ValueError,), []), tmp_path, 10, 60.0)
    for data in (b"long", b"", b"much"):
        counting(data)
    signal.signal(signal.SIGPROF, before)
    assert (counting.rejected, counting.failures) == (0, 2)
    assert [kind.split(" ")[0] for kind in counting.errors] == ["HangError", "more"]
    assert [file.read_bytes() for file in sorted(tmp_path.iterdir())] == [b"long", b"much"]


def test_an_error_is_told_by_its_place() -> None:
    with pytest.raises(ZeroDivisionError) as caught:
        fuzz.HANG_SECONDS / 0
    assert fuzz.where(caught.value).startswith("ZeroDivisionError at test_faults.py:")


def test_growth_is_found_behind_the_filling() -> None:
    def seen(rss_of_minute: float) -> dict[str, float]:
        return {**dict.fromkeys(soak.LIMITS, 5.0), "rss_mib": rss_of_minute}

    flat = [(60.0 * minute, seen(min(300 + 50 * minute, 400) + minute % 2 * 0.001)) for minute in range(60)]
    waits = [(5.0 * look, seen(400 + (look % 12) * look / 10)) for look in range(720)]
    leaks = [(60.0 * minute, seen(400 + 0.05 * minute)) for minute in range(60)]
    assert {row["held"] for row in soak.verdict(flat, 3600).values()} == {"yes"}
    assert soak.verdict(waits, 3600)["rss_mib"]["held"] == "yes"  # what waits within a minute is no growth
    one_more = [(at, {**seen, "threads": 5.0 + (at > 2000)}) for at, seen in flat]
    two_more = [(at, {**seen, "threads": 5.0 + (at > 2000) + (at > 2400)}) for at, seen in flat]
    assert soak.verdict(one_more, 3600)["threads"]["held"] == "yes"
    assert soak.verdict(two_more, 3600)["threads"]["held"] == "NO"
    found = soak.verdict(leaks, 3600)
    assert [name for name, row in found.items() if row["held"] == "NO"] == ["rss_mib"]
    assert found["rss_mib"]["slope"] == pytest.approx(3.0)


def test_a_card_that_is_no_text_is_one_sentence(tmp_path: Path) -> None:  # found by bench fuzz
    (tmp_path / "w.safetensors").write_bytes(b"")
    (tmp_path / "w.json").write_bytes(b'{"name":"\xff"}')
    with pytest.raises(UserError, match="is not a card of weights"):
        weights.load(tmp_path / "w.safetensors")


DAMAGED = "05042d580bfc706175736520ff6f6e73657400ff00ec"


@pytest.mark.parametrize("size", ["9" * 30, "-16", "100000000"])
def test_a_card_of_an_impossible_network_is_one_sentence(tmp_path: Path, size: str) -> None:  # found by bench fuzz
    place = weights.locate("memory-gru")
    (tmp_path / "w.safetensors").write_bytes(place.read_bytes())
    text = place.with_suffix(".json").read_text()
    (tmp_path / "w.json").write_text(text.replace('"stem": 16', f'"stem": {size}'))
    with pytest.raises(UserError, match="is not a card of weights"):
        weights.load(tmp_path / "w.safetensors")


def test_annotations_that_are_damaged_are_one_sentence(tmp_path: Path) -> None:  # found by bench fuzz
    (tmp_path / "r.hea").write_text("r 1 360 100\nr.dat 16 200 16 0 0 0 0 II\n")
    (tmp_path / "r.atr").write_bytes(bytes.fromhex(DAMAGED))
    with pytest.raises(UserError, match="cannot be read"):
        wfdb.read_annotations(tmp_path / "r")


def test_a_table_whose_units_are_too_few_is_one_sentence(tmp_path: Path) -> None:  # found by bench fuzz
    (tmp_path / "a.csv").write_text("II,V1,V2\nmV,mV\n" + "1,2,3\n" * 200)
    with pytest.raises(UserError, match="3 columns and 2 units"):
        tables.read(tmp_path / "a.csv", 250.0)


def test_recording_has_a_cost(tmp_path: Path) -> None:
    file = tmp_path / "recorder.json"
    words = ["--beds", "3", "--seconds", "3", "--folder", str(tmp_path), "--json", str(file)]
    assert main(["bench", "recorder", *words]) == 0
    found = json.loads(file.read_text())
    assert found["beds"] == 3 and found["cores"] > 0
    assert found["mib_per_hour"] > 3 * 2 * 2 * 360 * 3600 / (1 << 20)
    assert list(tmp_path.iterdir()) == [file]
