"""What may be asked of a simulated heart: one form for the steps of a scenario and for commands while it runs."""

from __future__ import annotations

from typing import Annotated, Any, Final

import msgspec
from msgspec import Meta

from ecg.errors import UserError
from ecg.rhythms.simulation import artefacts, leads
from ecg.rhythms.simulation.catalogue import ECTOPY, RHYTHMS
from ecg.rhythms.simulation.vitals import BOUNDS
from ecg.rhythms.simulation.waves import TERRITORIES

Strength = Annotated[float, Meta(gt=0, le=5)]
Seconds = Annotated[float, Meta(ge=0, le=86_400)]
Word = Annotated[str, Meta(max_length=64)]
MOST_PER_MINUTE: Final = 60.0


class Orders(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """Changes of one heart; None leaves something as it is.

    rhythm: of the catalogue; it begins with the next beat. over: s within which the numbers get to their values.
    rate to variability: see BOUNDS. territory: where the ST segment is raised. ectopy: of the catalogue; per_minute:
    how many of them. artefacts: strength by name, {} ends all. off: leads that fall off, [] puts all back on.
    swap: electrodes in each other's place, "" puts them right.
    """

    rhythm: Word | None = None
    rate: float | None = None
    pr: float | None = None
    qt: float | None = None
    st: float | None = None
    territory: Word | None = None
    potassium: float | None = None
    systolic: float | None = None
    breaths: float | None = None
    variability: float | None = None
    over: Seconds = 0.0
    ectopy: Word | None = None
    per_minute: float | None = None
    artefacts: Annotated[dict[Word, Strength], Meta(max_length=16)] | None = None
    off: Annotated[list[Word], Meta(max_length=16)] | None = None
    swap: Word | None = None

    @property
    def empty(self) -> bool:
        """Nothing is asked for."""
        return all(getattr(self, name) is None for name in self.__struct_fields__ if name != "over")


def checked(orders: Orders, known: tuple[str, ...], where: str = "") -> Orders:
    """The same orders, with leads as they are called here. known: the bed's leads.

    Raises UserError, one sentence that begins with `where`, at what cannot be simulated.
    """
    begin = f"{where}: " if where else ""
    choices: tuple[tuple[str, Any], ...] = (
        ("rhythm", RHYTHMS),
        ("ectopy", ECTOPY),
        ("territory", TERRITORIES),
        ("swap", leads.SWAPS),
    )
    for name, allowed in choices:
        value = getattr(orders, name)
        if value is not None and value not in allowed:
            raise UserError(f"{begin}{name} = {value!r} is not known: give one of {', '.join(filter(None, allowed))}")
    for name, bounds in BOUNDS.items():
        value = getattr(orders, name)
        if value is not None and not bounds.low <= value <= bounds.high:
            unit = f" {bounds.unit}" if bounds.unit else ""
            raise UserError(f"{begin}{name} = {value:g} cannot be: give {bounds.low:g} to {bounds.high:g}{unit}")
    if orders.rate is not None and orders.rhythm is not None:
        rhythm = RHYTHMS[orders.rhythm]
        if not rhythm.low <= orders.rate <= rhythm.high:
            raise UserError(
                f"{begin}rate = {orders.rate:g} is not one of rhythm {orders.rhythm!r}: "
                f"give {rhythm.low:g} to {rhythm.high:g}/min"
            )
    if orders.per_minute is not None and not 0 <= orders.per_minute <= MOST_PER_MINUTE:
        raise UserError(f"{begin}per_minute = {orders.per_minute:g} cannot be: give 0 to {MOST_PER_MINUTE:g}")
    for name in orders.artefacts or {}:
        if name not in artefacts.KINDS:
            raise UserError(f"{begin}artefact {name!r} is not known: give some of {', '.join(artefacts.KINDS)}")
    if not orders.off:
        return orders
    by_name = {name.upper(): name for name in known}
    for name in orders.off:
        if name.upper() not in by_name and name.lower() != "all":
            raise UserError(f"{begin}there is no lead {name!r} to fall off: this bed has {', '.join(known)}")
    everything = any(name.lower() == "all" for name in orders.off)
    ecg = [name for name in known if name in leads.ECG]
    return msgspec.structs.replace(orders, off=ecg if everything else [by_name[name.upper()] for name in orders.off])
