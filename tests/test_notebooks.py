"""Every notebook runs from top to bottom, offline, and is kept without outputs."""

from __future__ import annotations

import json
import warnings
from pathlib import Path
from typing import Any

import pytest

nbclient = pytest.importorskip("nbclient", reason="nbclient is not installed")
nbformat = pytest.importorskip("nbformat", reason="nbformat is not installed")

ROOT = Path(__file__).parents[1]
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))


@pytest.fixture(scope="module", params=NOTEBOOKS, ids=lambda path: path.stem)
def executed(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """A notebook after it has been executed in a folder of its own."""
    notebook = nbformat.read(request.param, as_version=4)
    folder = tmp_path_factory.mktemp("notebook")
    with pytest.MonkeyPatch.context() as patch, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of the kernel's client
        for name in ("OPENAI_API_KEY", "OPENAI_BASE_URL", "BINDER_MODEL"):
            patch.delenv(name, raising=False)
        patch.setenv("PYTHONPATH", str(ROOT))
        patch.setenv("IPYTHONDIR", str(folder))
        place = {"metadata": {"path": str(folder)}}
        nbclient.NotebookClient(
            notebook, timeout=60, kernel_name="python3", resources=place
        ).execute()
    return notebook


def outputs(notebook: Any) -> str:
    """All that the cells show, as one text."""
    return json.dumps(
        [output for cell in notebook.cells for output in cell.get("outputs", [])],
        ensure_ascii=False,
    )


def test_it_runs_and_shows_what_it_says(executed: Any) -> None:
    kinds = {output["output_type"] for cell in executed.cells for output in cell.get("outputs", [])}
    assert "error" not in kinds and "execute_result" in kinds
    assert "stderr" not in {
        output.get("name") for cell in executed.cells for output in cell.get("outputs", [])
    }


def test_first_steps_answers_its_question(executed: Any) -> None:
    shown = outputs(executed)
    assert "<b>4</b> (answered by SQL; confidence 100%" in shown and "Main hall" in shown
    assert (
        "at most 6 questions in 1 request" in shown
        and "{'Country of origin': 'Greece / Cyprus'}, 'yes'" in shown
    )
    assert "unknown column 'Runtime'" in shown


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_it_is_kept_without_outputs(path: Path) -> None:
    notebook = json.loads(path.read_text(encoding="utf-8"))
    code = [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]
    assert code and all(cell["outputs"] == [] and cell["execution_count"] is None for cell in code)
    assert set(notebook["metadata"]) <= {"kernelspec", "language_info"}
