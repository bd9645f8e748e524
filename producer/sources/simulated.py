"""Beds of simulated patients: a scenario each, marked as simulated in every message."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from msgspec import structs

from ecg.errors import UserError
from ecg.rhythms import scenario as scenarios
from ecg.rhythms import wards
from ecg.rhythms.scenario import Scenario
from ecg.rhythms.simulation import leads as projection
from ecg.rhythms.simulation.orders import Orders, checked
from ecg.rhythms.simulation.script import Script
from ecg.rhythms.simulation.simulation import Simulation
from ecg.wire.messages import SCHEMA, SIMULATED, SIMULATED_SOURCE, BedStatus, Command, Truth, TruthMark, Wave

WARD: Final = "ward"
WARD_BEDS: Final = 8
UNITS: Final = {"ABP": "mmHg", "PLETH": "NU"}
USUAL: Final = "stable-sinus"
FIELDS: Final = tuple(name for name in Orders.__struct_fields__)


@dataclass(slots=True, kw_only=True)
class SimulatedBed:
    """A simulated patient in bed `name`.

    told: the scenario. names: leads. rate: Hz. seed: of all that is drawn at random. The rest as in `base.Bed`.
    """

    name: str
    told: Scenario
    names: tuple[str, ...]
    rate: float
    seed: str
    chunk_seconds: float
    run: str
    loop: bool = False
    truth: bool = True
    lap: int = 0
    index: int = 0
    seq: int = 0
    published: int = 0
    _rest: float = 0.0
    _simulation: Simulation = field(init=False)
    _units: list[str] = field(init=False)

    def __post_init__(self) -> None:
        self._units = [UNITS.get(name, "mV") for name in self.names]
        self._simulation = self._begun()

    def _begun(self) -> Simulation:
        steps = [(index, _on(orders, self.names)) for index, orders in self.told.steps(self.rate)]
        script = Script(steps, self.told.period(self.rate))
        return Simulation(rate=self.rate, names=self.names, seed=f"{self.seed} {self.lap}", script=script)

    @property
    def record_name(self) -> str:
        """SIMULATED, and the name of the scenario."""
        return f"{SIMULATED}{self.told.name}"

    @property
    def leads(self) -> list[str]:
        """Names of the signals sent."""
        return list(self.names)

    @property
    def seconds(self) -> float | None:
        """Length of the scenario; None where it has no end."""
        return self.told.seconds if self.told.then == "end" else None

    @property
    def stream(self) -> str:
        """Name of the present lap."""
        return f"sim-{self.name}-{self.run}-{self.lap}"

    @property
    def _length(self) -> int | None:
        return None if self.seconds is None else round(self.seconds * self.rate)

    @property
    def done(self) -> bool:
        """Whether the scenario is over."""
        return self._length is not None and not self.loop and self.index >= self._length

    def next(self, sent_ns: int) -> tuple[Wave, Truth | None]:
        """The next chunk and the annotations in it. Must not be called when `done`."""
        length = self._length
        if length is not None and self.index >= length:
            self._anew()
        wanted = self.chunk_seconds * self.rate + self._rest
        count = max(round(wanted), 1)
        self._rest = wanted - count
        if length is not None:
            count = min(count, length - self.index)
        chunk = self._simulation.next(count)
        wave = Wave(
            v=SCHEMA,
            stream=self.stream,
            record=self.record_name,
            seq=self.seq,
            index=self.index,
            rate=self.rate,
            leads=list(self.names),
            gain=self._simulation.gain,
            baseline=[0.0] * len(self.names),
            sent_ns=sent_ns,
            samples=chunk.samples.astype("<i2", copy=False).tobytes(),
            units=self._units,
        )
        self.index += count
        self.seq += 1
        self.published += count
        if not self.truth or not chunk.marks:
            return wave, None
        marks = [TruthMark(mark.index, mark.symbol, mark.rhythm, mark.note) for mark in chunk.marks]
        return wave, Truth(SCHEMA, wave.stream, marks)

    def _anew(self) -> None:
        """Index 0 of another lap."""
        self.lap, self.index, self._rest = self.lap + 1, 0, 0.0
        self._simulation = self._begun()

    def status(self, online: bool, speed: float | str, final: bool = False) -> BedStatus:
        """The bed's retained status. final: with the number of published samples."""
        return BedStatus(
            v=SCHEMA,
            state="online" if online else "offline",
            record=self.record_name,
            source=SIMULATED_SOURCE,
            speed=speed,
            rate=self.rate,
            leads=list(self.names),
            stream=self.stream,
            published=self.published if final else None,
        )

    def obey(self, command: Command) -> tuple[int, str]:
        """Change the heart, its leads or its scenario. Raises UserError where that cannot be."""
        if command.do == "set":
            orders = self._orders(command)
            back = self._simulation.back(orders) if command.seconds is not None else None
            index = self._simulation.order(orders)
            if back is not None and command.seconds is not None:
                self._simulation.at(index + max(round(command.seconds * self.rate), 1), back)
            return index, self.stream
        if command.do == "script":
            told = _named(command.scenario) if command.scenario else self.told
            steps = [(index, checked(_on(orders, self.names), self.names)) for index, orders in told.steps(self.rate)]
            return self._simulation.replace(steps, told.period(self.rate)), self.stream
        raise UserError(f"{command.do} is for beds of records: {self.name} is simulated")

    def _orders(self, command: Command) -> Orders:
        """A command as orders for this heart. Raises UserError."""
        fields = {name: getattr(command, name) for name in FIELDS if name != "over"}
        over = 0.0 if command.over is None else command.over
        orders = checked(Orders(**fields, over=over), self.names)
        if orders.empty:
            raise UserError("set asks for nothing: give rhythm, rate, ectopy, artefacts, off or another field")
        self._simulation.allows(orders)
        return orders


def _named(name: str) -> Scenario:
    """A scenario of the package: who commands from afar reads no files here. Raises UserError."""
    if name.endswith(".toml"):
        raise UserError(f"a command cannot read {name}: give one of {', '.join(scenarios.names())}")
    return scenarios.load(name)


def _on(orders: Orders, names: tuple[str, ...]) -> Orders:
    """The orders without leads that this bed does not send."""
    if not orders.off:
        return orders
    return structs.replace(orders, off=[name for name in orders.off if name in names])


def is_simulated(source: str) -> bool:
    """Does `--source` name simulated patients?."""
    return source == "sim" or source.startswith("sim:")


def make_simulated(
    source: str,
    *,
    beds: int,
    seed: int,
    lead: str,
    rate: float | None,
    chunk_seconds: float,
    run: str,
    loop: bool,
    truth: bool,
) -> list[SimulatedBed]:
    """The beds of "sim", "sim:SCENARIO", "sim:ONE,OTHER" or "sim:ward".

    beds: how many, 0: one per scenario, 8 in a ward. lead: "all" for those of the scenario, else names such as "II",
    "II,V1,ABP" or "12". Raises UserError.
    """
    wanted = [word.strip() for word in source.partition(":")[2].split(",") if word.strip()] or [USUAL]
    ward = WARD in wanted
    if ward and len(wanted) > 1:
        raise UserError(f"--source {source}: a ward stands alone, without scenarios beside it")
    told = [] if ward else [scenarios.load(name) for name in wanted]
    count = beds or (WARD_BEDS if ward else len(told))
    made = []
    for number in range(count):
        one = wards.patient(seed, number) if ward else told[number % len(told)]
        names = tuple(one.leads) if lead == "all" else projection.names(lead.split(","), "--lead")
        if ward:
            name = f"bed-{number + 1:0{len(str(count))}}"
        else:
            name = one.name if count <= len(told) else f"{one.name}-{number // len(told) + 1}"
        made.append(
            SimulatedBed(
                name=name,
                told=one,
                names=names,
                rate=rate or one.rate_hz,
                seed=f"{seed} {number}",
                chunk_seconds=chunk_seconds,
                run=run,
                loop=loop,
                truth=truth,
            )
        )
    return made
