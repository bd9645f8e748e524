"""Order in words: notes of the same words in another order, a bag of words and a GRU over words or characters."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Annotated, Final

import numpy as np
import torch
from matplotlib.figure import Figure
from msgspec import Meta, Struct
from numpy.typing import NDArray
from torch import Tensor, nn

from ecg.records.record import Record
from trainer.lessons.frame import drawing, learning
from trainer.lessons.frame.lesson import Lesson, Number, Outcome, Progress, Say, Seed, Text, part

Count = Annotated[int, Meta(ge=1, le=100_000)]
OTHERS: Final = {
    "en": ("heparin", "digoxin", "atropine", "lidocaine", "warfarin"),
    "ja": ("ヘパリン", "ジゴキシン", "アトロピン", "リドカイン", "ワルファリン"),
}
ASKED: Final = {"en": "aspirin", "ja": "アスピリン"}
FORMS: Final = {
    "en": ("{a} : given . {b} : contraindicated .", "{b} : contraindicated . {a} : given ."),
    "ja": ("{a}：投与。{b}：禁忌。", "{b}：禁忌。{a}：投与。"),
}
AROUND: Final = {
    "en": ("", "slept well . ", "no pain . ", "eats a little . "),
    "ja": ("", "よく眠れた。", "痛みなし。", "少し食べた。"),
}


class Settings(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """notes: made in each language. hidden: units of the GRU. embedding: numbers for each piece of a note."""

    notes: Annotated[int, Meta(ge=4, le=100_000)] = 1200
    hidden: Annotated[int, Meta(ge=1, le=256)] = 48
    embedding: Annotated[int, Meta(ge=1, le=256)] = 16
    steps: Count = 400
    seed: Seed = 0


def make(language: str, count: int, rng: np.random.Generator) -> list[tuple[list[str], int]]:
    """Notes as pieces (English: words; Japanese: letters), and 1 where aspirin was the drug that was given.

    Each comes with its twin, in which the two drugs have changed places: the same pieces, the other answer.
    """
    made: list[tuple[list[str], int]] = []
    for _ in range(count // 2):
        other, form = str(rng.choice(OTHERS[language])), str(rng.choice(FORMS[language]))
        before, after = (str(rng.choice(AROUND[language])) for _ in range(2))
        asked = ASKED[language]
        for a, b, answer in ((asked, other, 1), (other, asked, 0)):
            note = before + form.format(a=a, b=b) + (" " if language == "en" else "") + after
            made.append((note.split() if language == "en" else list(note), answer))
    return made


def codes(notes: Sequence[Sequence[str]], known: Sequence[str]) -> Tensor:
    """Pieces as numbers from 1, zeros before the beginning: int64 [n, longest]."""
    longest = max(len(note) for note in notes)
    found = np.zeros((len(notes), longest), np.int64)
    for row, note in enumerate(notes):
        found[row, longest - len(note) :] = [known.index(piece) + 1 for piece in note]
    return torch.from_numpy(found)


def bags(notes: Sequence[Sequence[str]], known: Sequence[str]) -> Tensor:
    """How often each piece stands in a note, wherever it stands: float32 [n, pieces]."""
    return torch.tensor([[note.count(piece) for piece in known] for note in notes], dtype=torch.float32)


class Reader(nn.Module):
    """A GRU over the pieces of a note."""

    def __init__(self, pieces: int, embedding: int, hidden: int) -> None:
        super().__init__()
        self.embed = nn.Embedding(pieces + 1, embedding)
        self.read = learning.Last("gru", embedding, hidden, 2)

    def forward(self, pieces: Tensor) -> Tensor:
        """int64 [n, pieces] -> [n, 2]."""
        made: Tensor = self.read(self.embed(pieces))
        return made


@torch.no_grad()
def leaning(net: Reader, pieces: Tensor) -> NDArray[np.float32]:
    """The probability of "given" after each piece: float32 [n, pieces]."""
    states = net.read.cell(net.embed(pieces))[0]
    found: NDArray[np.float32] = torch.softmax(net.read.head(states), dim=-1)[..., 1].numpy()
    return found


def run(settings: Settings, _records: Sequence[Record], progress: Progress) -> Outcome:
    """A bag of pieces and a GRU, on notes in both languages."""
    numbers: dict[str, Number] = {}
    shown: dict[str, tuple[list[list[str]], NDArray[np.float32]]] = {}
    for place, language in enumerate(OTHERS):
        rng = np.random.default_rng([settings.seed, place])
        train, test = make(language, settings.notes, rng), make(language, 400, rng)
        (learn, answers), (ask, truth) = (
            ([note for note, _ in part_of], torch.tensor([a for _, a in part_of])) for part_of in (train, test)
        )
        known = sorted({piece for note in learn + ask for piece in note})
        bag = learning.seeded(settings.seed, partial(learning.mlp, len(known), settings.hidden, 2))
        learning.fit(bag, (bags(learn, known),), answers, steps=settings.steps, seed=settings.seed)
        numbers[f"bag_{language}"] = learning.share_right(bag, (bags(ask, known),), truth)
        torch.manual_seed(settings.seed)
        net = Reader(len(known), settings.embedding, settings.hidden)
        learning.fit(
            net,
            (codes(learn, known),),
            answers,
            steps=settings.steps,
            seed=settings.seed,
            batch=32,
            rate=1e-2,
            progress=part(progress, place / 2, (place + 1) / 2),
        )
        numbers[f"gru_{language}"] = learning.share_right(net, (codes(ask, known),), truth)
        twins = ask[:2]
        shown[language] = (twins, leaning(net, codes(twins, known)))
        space = " " if language == "en" else ""
        numbers[f"note_{language}"], numbers[f"twin_{language}"] = (space.join(twin) for twin in twins)
    value = {key: float(number) for key, number in numbers.items() if key[:3] in ("bag", "gru")}
    claims = {
        "bag": all(abs(value[f"bag_{language}"] - 0.5) < 0.05 for language in OTHERS),
        "order": all(value[f"gru_{language}"] > 0.9 for language in OTHERS),
    }
    return Outcome(numbers=numbers, claims=claims, draw=lambda say: [_draw(say, shown)])


def _draw(say: Say, shown: dict[str, tuple[list[list[str]], NDArray[np.float32]]]) -> Figure:
    """How the GRU leans after each letter of two notes of the same pieces. Japanese notes need Japanese glyphs."""
    language = say("en", "ja")
    twins, lean = shown[language]
    made, axes = drawing.figure(2, 1, 3.0, sharey=True)
    for one, text, values in zip(axes, twins, lean, strict=True):
        one.axhline(0.5, color=drawing.GREY, linewidth=0.7, linestyle=":")
        one.plot(range(len(text)), values[-len(text) :], "o-", color=drawing.BLUE, markersize=3)
        one.set_xticks(range(len(text)), text, fontsize=8, rotation=30 if language == "en" else 0)
        one.tick_params(axis="x", length=0)
        one.set(ylim=(-0.05, 1.05), ylabel=say("given?", "投与？"), xlim=(-0.7, len(text) - 0.3))
    axes[0].set(title=say("what the GRU thinks after each word", "一文字ごとのGRUの見立て"))
    return made


LESSON = Lesson(
    name="text",
    title=Text("Given or contraindicated? Order decides", "投与か禁忌か：語順が決める"),
    settings=Settings(),
    quick={"notes": 400, "steps": 140},
    run=run,
)
