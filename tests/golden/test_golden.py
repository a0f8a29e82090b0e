"""A small golden run, twice: the runs are equal, and whatever is changed in one of them is told."""

from __future__ import annotations

import copy
import json
from pathlib import Path

import pytest

from tests.golden.__main__ import main
from tests.golden.endpoint import Endpoint
from tests.golden.sections import write


def test_two_runs_are_equal_and_a_change_is_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with Endpoint(port=0) as endpoint:
        one, other = (write(endpoint, ["programs"], few=10).data(0) for _ in range(2))
    changed = copy.deepcopy(one)
    changed["sections"]["programs"]["golden: sql a map in WHERE"]["rows"][0] = "('Oslo',)"
    changed["texts"] = {name: f"{text} More." for name, text in one["texts"].items()}
    del changed["sections"]["programs"]["golden: sql options"]
    paths = [tmp_path / name for name in ("one.json", "other.json", "changed.json")]
    for path, data in zip(paths, (one, other, changed), strict=True):
        path.write_text(json.dumps(data), encoding="utf-8")

    assert len(one["sections"]["programs"]) == 10
    assert main(["compare", str(paths[0]), str(paths[1])]) == 0, capsys.readouterr().out
    capsys.readouterr()
    assert main(["compare", str(paths[0]), str(paths[2])]) == 1
    told = capsys.readouterr().out
    assert (
        "## programs, 1 items: golden: sql a map in WHERE\n  rows:" in told
        and "+ \"('Oslo',)\"" in told
    )
    assert "## programs, 1 items: golden: sql options\n  it is only in the old run" in told
    assert "More." in told, "a long text that is written once is compared, too"
