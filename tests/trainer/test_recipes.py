from __future__ import annotations

import pytest

from ecg.errors import UserError
from ecg.records.aami import DS1
from trainer.recipes import FOLDS, RECIPES, recipe_of


def test_an_override_changes_one_setting_and_keeps_its_type() -> None:
    recipe = recipe_of(
        "memory", ["epochs=3", "noise=0.5", "polarity=false", "hold_out=101,106", "silent_channels=0"], cell="lstm"
    )
    assert (recipe.epochs, recipe.noise, recipe.polarity, recipe.cell) == (3, 0.5, False, "lstm")
    assert recipe.hold_out == ("101", "106")
    assert recipe.silent_channels == (0,)
    assert recipe.learning_rate == RECIPES["memory"].learning_rate


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("epoch=3", "key is one of name, cell"),
        ("epochs", "give key=value"),
        ("epochs=many", "--set epochs=many: Expected `int`"),
        ("epochs=0", ">= 1"),
        ("warm_up=1.5", "< 1"),
        ("hold_out=100", "100 is not in DS1"),
        ("silent_features=colour", "there is no feature colour"),
        ("cell=transformer", "Invalid enum value 'transformer'"),
    ],
)
def test_an_override_that_cannot_be_used_is_named(text: str, said: str) -> None:
    with pytest.raises(UserError) as caught:
        recipe_of("memory", [text])
    assert said in str(caught.value)


def test_holding_out_all_of_ds1_leaves_nothing_to_fit_on() -> None:
    with pytest.raises(UserError, match="nothing to fit on"):
        recipe_of("memory", ["hold_out=" + ",".join(DS1)])


def test_patients_of_another_database_may_be_held_out_where_the_recipe_is_fitted_on_it() -> None:
    assert recipe_of("patients", ["hold_out=svdb:802,106"]).hold_out == ("svdb:802", "106")
    with pytest.raises(UserError, match="svdb:802 is not in DS1"):
        recipe_of("memory", ["hold_out=svdb:802"])
    with pytest.raises(UserError, match="nstdb has no annotated beats to fit on"):
        recipe_of("memory", ["data=mitdb,nstdb"])


def test_the_folds_part_ds1_without_overlap() -> None:
    names = [name for fold in FOLDS for name in fold]
    assert len(names) == len(set(names))
    assert set(names) <= set(DS1)
