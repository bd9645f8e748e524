"""Tokens of ports that are reached from elsewhere."""

from __future__ import annotations

from pathlib import Path

import pytest

from ecg import tokens
from ecg.errors import UserError


def test_a_token_is_the_first_line_of_its_file(tmp_path: Path) -> None:
    (tmp_path / "t").write_text("0123456789abcdef\nmore\n")
    token = tokens.read(str(tmp_path / "t"), "[x] y")
    assert token == "0123456789abcdef"
    assert tokens.same(token, tokens.bearer("Bearer 0123456789abcdef"))
    for wrong in (None, "", "Bearer", "Bearer 0123456789abcdeg", "Basic 0123456789abcdef", "Bearer \udcff"):
        assert not tokens.same(token, tokens.bearer(wrong))
    assert tokens.same("", None)


@pytest.mark.parametrize("content", [b"", b"short\n", b"\xff" * 20, "ä".encode() * 20])
def test_what_is_no_token_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "t").write_bytes(content)
    with pytest.raises(UserError, match=r"\[x\] y"):
        tokens.read(str(tmp_path / "t"), "[x] y")
    with pytest.raises(UserError, match=r"cannot read \[x\] y .*: No such file"):
        tokens.read(str(tmp_path / "none"), "[x] y")
