"""Ranges of numbers and patterns of texts in settings: NaN, infinity and the absurd are refused at the door."""

from __future__ import annotations

from typing import Annotated, Final

from msgspec import Meta

Signal = Annotated[float, Meta(gt=0, le=60)]
"""Seconds of signal that something of the heart or the wire may last."""
Wall = Annotated[float, Meta(ge=0.1, le=86_400)]
"""Seconds by the clock, up to a day."""
Port = Annotated[int, Meta(ge=1, le=65535)]
Count = Annotated[int, Meta(ge=1, le=65536)]
Beats = Annotated[int, Meta(ge=3, le=50)]
Cycles = Annotated[int, Meta(ge=2, le=50)]
Rate = Annotated[float, Meta(gt=0, le=500)]
TEXT: Final = r"^[^\x00-\x1f\x7f\ud800-\udfff]*\Z"
HOST: Final = r"^(mqtts?://[^\x00-\x20/\x7f]+/?|[A-Za-z0-9_:%-]{1,63}(\.[A-Za-z0-9_:%-]{1,63})*\.?)\Z"
ROOT: Final = r"^[A-Za-z0-9_-]+(/[A-Za-z0-9_-]+)*\Z"
PLACE: Final = r"^/[A-Za-z0-9_.~/-]*\Z"
ENDING: Final = r"^[A-Za-z0-9_-]{1,32}\Z"
MEANT: Final = {
    ENDING: "give the ending of the annotation files without its dot, such as atr",
    TEXT: "give text without control characters",
    HOST: "give a host name or an address, or mqtt://user@host:port",
    PLACE: "give a path that begins with /",
    ROOT: "give names of A-Z, a-z, 0-9, _ and - with / between",
}
"""What each pattern asks for, in words."""
Text = Annotated[str, Meta(pattern=TEXT, max_length=4096)]
Name = Annotated[str, Meta(pattern=TEXT, min_length=1, max_length=4096)]
Ending = Annotated[str, Meta(pattern=ENDING)]
Host = Annotated[str, Meta(pattern=HOST, max_length=253)]
Root = Annotated[str, Meta(pattern=ROOT, max_length=200)]
Place = Annotated[str, Meta(pattern=PLACE, max_length=200)]
