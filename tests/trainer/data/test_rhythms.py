from __future__ import annotations

import numpy as np

from ecg.model.rhythms import ATRIAL, FIBRILLATION, SINUS, UNKNOWN, VENTRICULAR
from ecg.records.record import Record
from trainer.data.rhythms import of_beats
from trainer.synthesis.versions import version

CLASSES = np.array([0, 1, 1, 0, 1, 1, 1, 0, 2, 2, 2, 2, 0, 2, 0], np.int64)
SINUS_LABELS = np.full(len(CLASSES), "(N")


def test_runs_and_labels_say_the_rhythm() -> None:
    found = of_beats("100", CLASSES, SINUS_LABELS).tolist()
    assert found == [SINUS] * 4 + [ATRIAL] * 3 + [SINUS] + [VENTRICULAR] * 4 + [SINUS] * 3
    labels = SINUS_LABELS.copy().astype("<U5")
    labels[:10] = "(AFIB"
    labels[12:] = "(AFL"
    found = of_beats("100", CLASSES, labels).tolist()
    assert found == [FIBRILLATION] * 8 + [VENTRICULAR] * 4 + [FIBRILLATION] * 3


def test_a_database_without_rhythm_labels_says_no_more_than_runs() -> None:
    nothing = np.full(len(CLASSES), "")
    for name in ("svdb:802", "svdb:802~3", "clinic:7"):
        found = of_beats(name, CLASSES, nothing)
        assert found[4:7].tolist() == [ATRIAL] * 3
        assert found[8:12].tolist() == [VENTRICULAR] * 4
        assert (np.delete(found, [4, 5, 6, 8, 9, 10, 11]) == UNKNOWN).all()


def test_fibrillation_of_a_made_up_version_is_labelled(pieces: list[Record]) -> None:
    made = [version(record, number) for record in pieces[:3] for number in range(6)]
    labels = [one.annotations.rhythm for one in made if one.annotations]
    assert any((one == "(AFIB").any() for one in labels)
    assert any(not (one == "(AFIB").any() for one in labels)
