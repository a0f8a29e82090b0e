"""A session with a marked key in a marked environment goes by; nothing that was written, shown or
started holds the mark."""

from __future__ import annotations

import gc
import pickle
import traceback
from pathlib import Path

import pytest

from binder.engine import connect
from binder.errors import BinderError
from tests.processes import children
from tests.server import Server

MARK = "sk-CANARY-0123456789"


def test_the_key_is_nowhere(
    server: Server,
    tmp_path: Path,
    capfd: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", MARK)
    monkeypatch.setenv("SOME_OTHER_TOKEN", MARK)
    monkeypatch.chdir(tmp_path)
    shown: list[str] = []
    cache = tmp_path / "answers.db"
    table = [{"city": "Paris"}, {"city": "Rome"}]
    before = children()
    with connect(
        {"w": table},
        model="m",
        base_url=server.url,
        cache=cache,
        timeout=60,
        tracer=lambda e: shown.append(repr(e)),
    ) as db:
        for program in (
            'SELECT QA("map@upper?"; city) FROM w',
            "SELECT nothing FROM w",
            "SELECT getenv('OPENAI_API_KEY')",
        ):
            try:
                result = db.run(program)
                shown += [
                    str(result),
                    repr(result),
                    result._repr_html_(),
                    str(result.data()),
                    *result.trace.lines(),
                    str(result.why(0)),
                ]
            except BinderError as error:
                shown += [
                    str(error),
                    repr(error),
                    repr(pickle.dumps(error)),
                    *traceback.format_exception(error),
                ]
        started = children() - before
        assert len(started) == 1, "the engine works in a process of its own"
        for pid in started:
            shown += [Path(f"/proc/{pid}/{name}").read_text() for name in ("environ", "cmdline")]
        shown += [repr(db), repr(db.stack), repr(db.settings), repr(db.tables)]
    for headers in ({"base_url": "http://127.0.0.1:9/v1"}, {"base_url": server.url + "/nowhere"}):
        with connect({"w": table}, model="m", cache=None, timeout=2, deadline=5, **headers) as db:  # type: ignore[arg-type]
            try:
                shown.append(str(db.run('SELECT QA("map@upper?"; city) FROM w')))
            except BinderError as error:
                shown += [str(error), repr(error), *traceback.format_exception(error)]
    gc.collect()
    out, err = capfd.readouterr()
    assert not [text for text in (*shown, out, err) if MARK in text]
    written = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    assert cache in written and not [
        path for path, data in written.items() if MARK.encode() in data
    ]
