"""Recipes: every number of a fit, as one typed value stored beside its weights."""

from __future__ import annotations

from typing import Annotated, Any, Final, TypeVar

import msgspec
from msgspec import Meta

from ecg.errors import UserError
from ecg.model.lecture import NetName
from ecg.model.rhythms import RHYTHMS
from ecg.model.shape import Cell, NetShape
from ecg.records import databases
from ecg.records.databases import database_of
from ecg.records.patients import Patients, patients
from ecg.signal import p_waves
from ecg.signal.features import columns
from ecg.signal.path import CHANNELS, FEATURES, WINDOW

Positive = Annotated[float, Meta(gt=0)]
Share = Annotated[float, Meta(ge=0, le=1)]
Spread = Annotated[float, Meta(ge=0)]
Count = Annotated[int, Meta(ge=1)]
T = TypeVar("T", bound=msgspec.Struct)

FOLDS: Final = databases.MITDB.folds
"""DS1 in four parts of whole records. Every part has S and V beats of several patients."""

RR_FEATURES: Final = tuple(name for name in FEATURES if "rr_" in name)


class Recipe(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The fit of a beat reader and rhythm memory.

    The network: cell, stem, reader, bottleneck, memory, dropout, carried as in ecg.model.network.NetShape. own_memory
    false takes the rhythm memory out: the head reads the beat reader and the features alone.
    Inputs: the weights of silent_features and silent_channels are held at zero.
    Streams: `streams` records side by side, `beats` of each in one step of truncated back-propagation, `steps` in an
    epoch. A detector_share of them are cut at our own detector's R-peaks, the others at the annotated ones. A
    version_share of them are one of `versions` made-up versions of the record (trainer.synthesis.versions), if any.
    Augmentation: gain (log), tilt and noise in beat sizes, shift in samples of the model rate, warp (log of the speed
    of a stream's beats) and rr_jitter of the RR features are spreads; polarity turns half of the streams upside down.
    versions_of: databases whose records have versions; empty: all. other_lead: share of the streams of real beats that
    show the record's other lead. ds1_share: of the streams, if there are other patients too.
    data: databases by name or folder (ecg.records.databases); the fit is on their records given for training.
    hold_out: records left out of the fit, for validation and early stopping; empty: fit on all of them.
    reader_epochs: epochs of the reader alone before the others, `reader_batch` single beats in a step, after which it
    is kept (trainer.fitting.memory); 0: everything is fitted together. other_version_share: version_share of the
    patients who are not of DS1 (None: the same). noise_records: of noise alone, of NSTDB; noise_share: of the streams
    of the memory. early_s: of the card (ecg.model.doubt); no part in the fit. rhythm_share: weight of the loss of a
    rhythm head beside the memory's; 0: there is none.
    """

    name: str = "memory"
    cell: Cell = "gru"
    stem: Count = 16
    reader: Count = 32
    bottleneck: Count = 8
    memory: Count = 32
    dropout: Share = 0.3
    carried: bool = True
    own_memory: bool = True
    silent_features: tuple[str, ...] = ()
    silent_channels: tuple[int, ...] = ()
    epochs: Count = 32
    steps: Count = 26
    streams: Count = 44
    beats: Count = 48
    learning_rate: Positive = 3e-3
    weight_decay: Spread = 1e-2
    warm_up: Annotated[float, Meta(gt=0, lt=1)] = 0.2
    clip: Positive = 1.0
    class_power: Share = 0.25
    class_cap: Positive = 20.0
    label_smoothing: Share = 0.0
    detector_share: Share = 0.5
    versions: Annotated[int, Meta(ge=0)] = 12
    version_share: Share = 0.75
    versions_of: tuple[str, ...] = ()
    other_lead: Share = 0.0
    ds1_share: Share = 0.5
    polarity: bool = True
    gain: Spread = 0.1
    tilt: Spread = 0.09
    noise: Spread = 0.03
    warp: Spread = 0.08
    shift: Annotated[int, Meta(ge=0, le=20)] = 1
    rr_jitter: Spread = 0.0
    data: tuple[str, ...] = ("mitdb",)
    hold_out: tuple[str, ...] = FOLDS[0]
    patience: Count = 8
    seed: int = 0
    reader_epochs: Annotated[int, Meta(ge=0)] = 0
    reader_batch: Count = 512
    other_version_share: Share | None = None
    noise_records: tuple[str, ...] = ()
    noise_share: Annotated[float, Meta(ge=0, lt=1)] = 0.0
    early_s: Annotated[float, Meta(gt=0, le=1)] = 1.0
    rhythm_share: Spread = 0.0

    @property
    def shape(self) -> NetShape:
        """The network of this recipe, on the present signal path."""
        return NetShape(
            cell=self.cell,
            channels=CHANNELS,
            window=WINDOW,
            features=len(FEATURES),
            stem=self.stem,
            reader=self.reader,
            bottleneck=self.bottleneck,
            memory=self.memory,
            dropout=self.dropout,
            carried=self.carried,
            rhythms=len(RHYTHMS) if self.rhythm_share else 0,
        )

    def has_versions(self, name: str) -> bool:
        """Whether a record, by its full name, is fitted on in made-up versions too."""
        return self.versions > 0 and (not self.versions_of or database_of(name) in self.versions_of)

    @property
    def all_epochs(self) -> int:
        """Epochs of a whole fit."""
        return self.reader_epochs + self.epochs

    def version_share_of(self, name: str) -> float:
        """version_share of a record, by its full name."""
        if self.other_version_share is None or database_of(name) == databases.MITDB.name:
            return self.version_share
        return self.other_version_share

    @property
    def features_off(self) -> list[int]:
        """Columns of the silent features."""
        return columns(self.silent_features)


MEMORY: Final = Recipe()
RECIPES: Final = {
    "memory": MEMORY,
    "patients": msgspec.structs.replace(
        MEMORY,
        name="patients",
        data=("mitdb", "svdb"),
        memory=96,
        bottleneck=16,
        silent_features=p_waves.FREE,
        reader_epochs=46,
        versions=6,
        version_share=0.7,
        other_version_share=0.3,
        detector_share=0.85,
        other_lead=0.4,
        noise_records=("bw", "ma"),
        noise_share=0.02,
        early_s=0.25,
        rhythm_share=0.3,
        hold_out=Patients((databases.MITDB, databases.SVDB)).folds[0],
    ),
    "memory-real": msgspec.structs.replace(MEMORY, name="memory-real", versions=0),
    "memory-reset": msgspec.structs.replace(MEMORY, name="memory-reset", carried=False),
    "relative": msgspec.structs.replace(MEMORY, name="relative", carried=False, own_memory=False),
    "rr": msgspec.structs.replace(
        MEMORY,
        name="rr",
        carried=False,
        own_memory=False,
        silent_channels=tuple(range(1, CHANNELS)),
        silent_features=tuple(name for name in FEATURES if name not in RR_FEATURES),
    ),
    "stateless": msgspec.structs.replace(
        MEMORY,
        name="stateless",
        carried=False,
        own_memory=False,
        silent_channels=tuple(range(1, CHANNELS)),
        silent_features=FEATURES,
    ),
}
"""The flagship; the same on DS1 and SVDB's patients; the same on real beats only; and with parts switched off."""


class RowRecipe(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The fit of a network over single rows.

    file: "test" fits on a split of mitbih_test.csv as the lecture did, "train" on mitbih_train.csv, tested on
    mitbih_test.csv; "ds1" on rows cut from the records of DS1, tested on those of DS2: other patients. keep_normal:
    normal beats kept (0: all); keep_other: beats of each other class, likewise. validation, held_out: shares of the
    file.
    scale, noise, stretch, slope: augmentation, as spreads or half ranges. class_power: of the inverse frequency.
    average: decay of the running average of the weights (0: none), kept in their place.
    keep_last: keep the last weights, not the best on the validation rows.
    """

    name: str
    net: NetName
    file: Annotated[str, Meta(pattern="^(train|test|ds1)$")]
    keep_normal: Annotated[int, Meta(ge=0)] = 0
    keep_other: Annotated[int, Meta(ge=0)] = 0
    held_out: Share = 0.0
    validation: Annotated[float, Meta(gt=0, lt=1)] = 0.03
    epochs: Count = 20
    batch: Count = 64
    learning_rate: Positive = 3e-3
    start_rate: Positive = 1e-3
    warm_up: Annotated[float, Meta(gt=0, lt=1)] = 0.3
    weight_decay: Spread = 0.01
    clip: Positive = 1.0
    dropout: Share = 0.3
    class_power: Share = 1.0
    label_smoothing: Share = 0.1
    noise: Spread = 0.01
    scale: Spread = 0.05
    stretch: Spread = 0.0
    slope: Spread = 0.0
    average: Annotated[float, Meta(ge=0, lt=1)] = 0.0
    keep_last: bool = False
    seed: int = 42


ROW_RECIPES: Final = {
    "tutorial": RowRecipe(
        name="tutorial", net="tutorial", file="test", keep_normal=3000, held_out=0.15, validation=0.15
    ),
    "tutorial-ds1": RowRecipe(
        name="tutorial-ds1",
        net="tutorial",
        file="ds1",
        keep_normal=2500,
        keep_other=1500,
        validation=0.15,
        epochs=12,
        batch=128,
        class_power=0.5,
    ),
    "kaggle": RowRecipe(
        name="kaggle",
        net="residual",
        file="train",
        epochs=16,
        batch=128,
        class_power=0.25,
        label_smoothing=0.05,
        weight_decay=0.02,
        noise=0.01,
        scale=0.1,
        slope=0.05,
        average=0.998,
        keep_last=True,
    ),
}


def recipe_of(name: str, overrides: list[str], **chosen: Any) -> Recipe:
    """A recipe by name with `key=value` overrides, then the keywords. Raises UserError for values out of range."""
    if name not in RECIPES:
        raise UserError(f"there is no recipe {name!r}; there are {', '.join(RECIPES)}")
    recipe = msgspec.structs.replace(override(RECIPES[name], overrides), **chosen)
    check(recipe)
    return recipe


def override(settings: T, overrides: list[str]) -> T:
    """Settings with `key=value` overrides; a list is given with commas. Raises UserError naming key and value."""
    tree: dict[str, Any] = msgspec.to_builtins(settings)
    for text in overrides:
        key, equals, value = text.partition("=")
        if key not in tree or not equals:
            raise UserError(f"--set {text}: give key=value, where key is one of {', '.join(tree)}")
        tree[key] = [part for part in value.split(",") if part] if isinstance(tree[key], (list, tuple)) else value
        try:
            settings = msgspec.convert(tree, type(settings), strict=False)
        except msgspec.ValidationError as error:
            raise UserError(f"--set {text}: {str(error).partition(' - at')[0]}") from None
    return settings


def check(recipe: Recipe) -> None:
    """Raise UserError if settings contradict one another."""
    known = patients(recipe.data).names
    strange = [name for name in recipe.hold_out if name not in known]
    if strange:
        what = "DS1" if recipe.data == ("mitdb",) else f"the records of {', '.join(recipe.data)}"
        raise UserError(f"hold_out: {', '.join(strange)} is not in {what}; there are {', '.join(known)}")
    if recipe.rhythm_share and not recipe.reader_epochs:
        raise UserError("rhythm_share: a rhythm head is fitted with the memory alone; set reader_epochs too")
    if set(recipe.hold_out) >= set(known):
        raise UserError("hold_out: every record is held out, which leaves nothing to fit on")
    try:
        columns(recipe.silent_features)
    except ValueError as error:
        raise UserError(f"silent_features: {error}") from None
