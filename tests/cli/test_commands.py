"""Words on a command line go in; what is printed and the exit status come out."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from binder.cli.commands import DONE, FAILED, MISSING, USAGE, main
from tests.server import Server, tokens_of

ROOT = Path(__file__).parents[2]


@pytest.fixture
def table(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, server: Server) -> str:
    """A file with a table; the environment names the endpoint."""
    path = tmp_path / "cities.csv"
    path.write_text('city,people\nParis,"2,100"\nLyon,500\n', encoding="utf-8")
    monkeypatch.setenv("OPENAI_BASE_URL", server.url)
    monkeypatch.setenv("OPENAI_API_KEY", "k")
    monkeypatch.setenv("BINDER_MODEL", "m")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "caches"))
    return str(path)


def test_run_prints_a_grid_and_what_it_cost(table: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["run", "--table", table, "SELECT citty FROM w WHERE people > 1000"]) == DONE
    shown = capsys.readouterr()
    assert (
        shown.out == "city\n-----\nParis\n"
        and "auto-repaired" in shown.err
        and "0 questions" in shown.err
    )


def test_run_prints_json(table: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert (
        main(["run", "-t", f"w={table}", "--json", 'SELECT QA("map@same?"; city) AS c FROM w'])
        == DONE
    )
    data = json.loads(capsys.readouterr().out)
    assert (data["columns"], data["rows"], data["errors"]) == (["c"], [["Paris"], ["Lyon"]], [])
    assert data["usage"]["questions"] == 2 and data["usage"]["requests"] == 1


def test_missing_values_have_a_status_of_their_own(
    table: str, server: Server, capsys: pytest.CaptureFixture[str]
) -> None:
    server.answer = lambda task: dict.fromkeys(task["rows"])
    assert main(["run", "-t", table, "--json", 'QA("map@same?"; city)']) == MISSING
    assert [entry["fault"] for entry in json.loads(capsys.readouterr().out)["errors"]] == [
        "no_answer",
        "no_answer",
    ]


def test_a_program_from_standard_input(
    table: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO("SELECT COUNT(*) AS n FROM w"))
    assert main(["run", "-t", table, "-"]) == DONE
    assert capsys.readouterr().out == "n\n-\n2\n"


def test_a_program_that_is_refused_has_its_place_marked(
    table: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["run", "-t", table, "SELECT weight FROM w"]) == FAILED
    shown = capsys.readouterr()
    assert shown.out == "" and shown.err.startswith(
        "binder: unknown column 'weight'\n    SELECT weight FROM w\n           ^^^^^^\n"
    )


def test_explain_asks_nothing(
    table: str, server: Server, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["explain", "-t", table, 'SELECT QA("map@same?"; city) FROM w']) == DONE
    assert "asks at most 2 questions in 1 request" in capsys.readouterr().out
    assert main(["explain", "-t", table, "--json", 'SELECT QA("map@same?"; city) FROM w']) == DONE
    assert json.loads(capsys.readouterr().out)["bill"]["questions"] == 2
    assert not server.requests


def test_ask_answers(table: str, server: Server, capsys: pytest.CaptureFixture[str]) -> None:
    server.reply = lambda body: "SELECT city FROM w WHERE people < 1000"
    assert (
        main(["ask", "-t", table, "--samples", "2", "--language", "sql", "which city is small?"])
        == DONE
    )
    shown = capsys.readouterr()
    assert shown.out == "Lyon\n" and "confidence 100%" in shown.err
    assert main(["ask", "-t", table, "--samples", "1", "--json", "which city is small?"]) == DONE
    assert json.loads(capsys.readouterr().out)["values"] == ["Lyon"]


def test_what_a_request_for_programs_holds_is_set_by_words(
    table: str, server: Server, capsys: pytest.CaptureFixture[str]
) -> None:
    server.reply = lambda body: "SELECT city FROM w WHERE city = 'Lyon'"
    words = ["ask", "-t", table, "--samples", "1", "--language", "sql", "which city is small?"]
    assert main([*words, "--embeddings", "e"]) == main([*words, "--prompt-tokens", "2000"]) == DONE
    assert "solved questions were found by words" in capsys.readouterr().err
    whole, cut = map(tokens_of, server.requests)
    assert cut <= 2000 < whole
    assert main([*words, "--prompt-tokens", "20"]) == USAGE


def test_ask_that_finds_nothing_fails_and_says_what_was_tried(
    table: str, server: Server, capsys: pytest.CaptureFixture[str]
) -> None:
    server.reply = lambda body: "SELECT weight FROM w"
    assert main(["ask", "-t", table, "--samples", "1", "which city is heavy?"]) == FAILED
    shown = capsys.readouterr()
    assert "no answer" in shown.out and "unknown column 'weight'" in shown.err


def test_the_trace_is_written(table: str, tmp_path: Path) -> None:
    assert (
        main(["run", "-t", table, "--trace", str(tmp_path / "t.jsonl"), 'QA("map@same?"; city)'])
        == DONE
    )
    events = [
        json.loads(line) for line in (tmp_path / "t.jsonl").read_text(encoding="utf-8").splitlines()
    ]
    kinds = [event["kind"] for event in events]
    assert "asked" in kinds and kinds[-1] == "executed"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["run", "SELECT 1"], "no table: --table is required"),
        (["run", "-t", "w=a.csv", "-t", "w=b.csv", "SELECT 1"], "duplicate table name 'w'"),
        (["run", "-t", "TABLE", "--batch-rows", "0", "SELECT 1"], "at least 1"),
        (["ask", "-t", "TABLE", " "], "the question is empty"),
    ],
)
def test_bad_usage(
    table: str, arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([table if word == "TABLE" else word for word in arguments]) == USAGE
    assert message in capsys.readouterr().err


@pytest.mark.parametrize(
    "arguments",
    [[], ["fly"], ["run"], ["run", "--tables", "x", "y"], ["ask", "--samples", "many", "q"]],
)
def test_words_that_are_no_command(
    arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as caught:
        main(arguments)
    assert caught.value.code == USAGE and "usage: binder" in capsys.readouterr().err


def test_a_file_that_is_not_there(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["run", "-t", "nowhere.csv", "SELECT 1"]) == FAILED
    assert "nowhere.csv" in capsys.readouterr().err


def test_two_tables(table: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    other = tmp_path / "o.json"
    other.write_text('[{"city": "Lyon", "n": 1}]', encoding="utf-8")
    assert (
        main(
            [
                "run",
                "-t",
                f"w={table}",
                "-t",
                str(other),
                "--json",
                "SELECT n FROM w JOIN o USING (city)",
            ]
        )
        == DONE
    )
    assert json.loads(capsys.readouterr().out)["rows"] == [[1]]


def test_as_a_process(table: str, server: Server) -> None:
    environment = dict(os.environ) | {"PYTHONPATH": str(ROOT)}
    command = [
        sys.executable,
        "-m",
        "binder",
        "run",
        "-t",
        table,
        "--json",
        'QA("map@same?"; city)',
    ]
    done = subprocess.run(
        command, capture_output=True, text=True, env=environment, cwd=ROOT, timeout=60
    )
    assert (done.returncode, done.stderr, json.loads(done.stdout)["rows"]) == (
        DONE,
        "",
        [["Paris"], ["Lyon"]],
    )
    refused = subprocess.run(
        [*command[:-1], "SELECT 'x"],
        capture_output=True,
        text=True,
        env=environment,
        cwd=ROOT,
        timeout=60,
    )
    assert (refused.returncode, refused.stdout) == (
        FAILED,
        "",
    ) and "Traceback" not in refused.stderr


def _outputs(tmp_path: Path, **options: Any) -> subprocess.Popen[bytes]:
    """A command that prints a character which few consoles have, some thousand times."""
    (tmp_path / "w.csv").write_text("a\n日本\n", encoding="utf-8")
    program = "SELECT repeat(a, 30), unnest(range(40)) FROM w"
    command = [sys.executable, "-m", "binder", "run", "-t", str(tmp_path / "w.csv"), program]
    environment = dict(os.environ) | {"PYTHONIOENCODING": "cp1252"}
    return subprocess.Popen(command, env=environment, cwd=ROOT, stderr=subprocess.PIPE, **options)


def test_a_console_without_a_character_shows_its_escape(tmp_path: Path) -> None:
    running = _outputs(tmp_path, stdout=subprocess.PIPE)
    out, err = running.communicate(timeout=60)
    assert running.returncode == DONE and rb"\u65e5\u672c" in out and b"Traceback" not in err


def test_an_output_that_nobody_reads_ends_in_silence(tmp_path: Path) -> None:
    reads, writes = os.pipe()
    os.close(reads)
    running = _outputs(tmp_path, stdout=writes)
    os.close(writes)
    _, err = running.communicate(timeout=60)
    assert running.returncode == FAILED and b"Traceback" not in err and b"Error" not in err


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="this system has no /dev/full")
def test_a_full_disk_is_told_in_one_sentence(tmp_path: Path) -> None:
    with open("/dev/full", "wb") as full:
        _, err = (running := _outputs(tmp_path, stdout=full)).communicate(timeout=60)
    told = err.decode().splitlines()[-1]
    assert running.returncode == FAILED and b"Traceback" not in err
    assert told == "binder: cannot write the output: No space left on device"


def test_its_version() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "binder", "--version"],
        capture_output=True,
        text=True,
        cwd=ROOT,
        timeout=60,
    )
    assert done.returncode == 0 and done.stdout.startswith("binder ")


def kinds(path: Path) -> list[str]:
    """The kinds of the events in a trace."""
    return [json.loads(line)["kind"] for line in path.read_text(encoding="utf-8").splitlines()]


def test_explain_is_traced_where_it_runs(
    table: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    trace = tmp_path / "t.jsonl"
    words = ["explain", "-t", table, "--no-cache", 'QA("map@same?"; city)', "--trace", str(trace)]
    assert main(words) == USAGE
    assert "--trace needs --analyze" in capsys.readouterr().err and not trace.exists()
    assert main([*words, "--analyze"]) == DONE
    assert {"started", "asked", "executed"} <= set(kinds(trace))


def test_a_run_that_fails_leaves_its_trace(table: str, server: Server, tmp_path: Path) -> None:
    trace = tmp_path / "t.jsonl"
    words = ["run", "-t", table, "--no-cache", "--trace", str(trace), 'QA("map@same?"; city)']
    assert main([*words, "--max-requests", "0"]) == FAILED
    assert kinds(trace)[0] == "started"


def test_a_trace_that_cannot_be_written(
    table: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["run", "-t", table, "--trace", str(tmp_path / "no" / "t"), "SELECT 1"]) == USAGE
    assert "cannot write --trace" in capsys.readouterr().err


@pytest.mark.parametrize("name", ["trace", "record", "replay"])
def test_recorded_programs_ask_nothing_to_trace(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    words = ["eval", "wikitq", "--data", "x", "--out", "y", "--programs", "z"]
    assert main([*words, f"--{name}", str(tmp_path / "t")]) == USAGE
    assert f"use either --{name} or --programs" in capsys.readouterr().err


def test_tune_is_traced_and_prints_no_json(
    table: str, server: Server, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    server.reply = lambda body: "SELECT city FROM w WHERE people < 1000"
    questions, trace = tmp_path / "q.jsonl", tmp_path / "t.jsonl"
    lines = [json.dumps({"question": f"small? {i}", "answer": ["Lyon"]}) for i in range(12)]
    questions.write_text("\n".join(lines), encoding="utf-8")
    words = ["tune", str(questions), "-t", table, "--rounds", "1", "--size", "1", "--no-cache"]
    words += ["--out", str(tmp_path / "m.txt"), "--trace", str(trace)]
    assert main(words) == DONE
    assert kinds(trace).count("voted") > 1
    with pytest.raises(SystemExit):
        main([*words, "--json"])


@pytest.mark.parametrize(
    ("words", "message", "hint"),
    [
        (["export"], "--out is required", "--out answers.jsonl"),
        (["prune"], "nothing selected to delete", "--older-than DAYS"),
    ],
)
def test_the_cache_says_what_is_missing_even_without_a_file(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], words: list[str], message: str, hint: str
) -> None:
    assert main(["cache", *words, "--cache", str(tmp_path / "none.db")]) == USAGE
    shown = capsys.readouterr().err
    assert message in shown and hint in shown


def test_a_cache_without_entries(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "none.db"
    assert main(["cache", "--cache", str(path)]) == DONE
    assert capsys.readouterr().out == f"the cache {path} is empty\n"


@pytest.mark.parametrize(
    ("words", "option"),
    [
        (["--no-cache", "--max-requests", "0"], "--max-requests"),
        (["--batch-rows", "0"], "--batch-rows must be"),
        (["--strict", "--no-cache"], "leaving out --strict"),
    ],
)
def test_an_error_names_the_option_that_mends_it(
    table: str, server: Server, capsys: pytest.CaptureFixture[str], words: list[str], option: str
) -> None:
    server.answer = lambda task: dict.fromkeys(task["rows"])
    assert main(["run", "-t", table, *words, 'QA("map@same?"; city)']) in (FAILED, USAGE)
    shown = capsys.readouterr().err
    assert option in shown and "Budget(" not in shown and "strict=" not in shown


def test_values_are_given_by_name(table: str, capsys: pytest.CaptureFixture[str]) -> None:
    program = "SELECT city FROM w WHERE people > $least AND city IN $among"
    given = ["--param", "least=600", "--param", '$among=["Paris", "Lyon"]']
    assert main(["run", "-t", table, *given, program]) == DONE
    assert capsys.readouterr().out == "city\n-----\nParis\n"
    assert main(["explain", "-t", table, *given, program]) == DONE
    assert "parameter least = 600" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("given", "status", "message"),
    [
        ([], FAILED, "no value is given for the parameter $c"),
        (["--param", "c=a", "--param", "d=a"], FAILED, "does not use the parameter 'd'"),
        (["--param", "c"], USAGE, "--param c: no NAME=VALUE"),
        (["--param", "c=a", "--param", "c=b"], USAGE, "--param c is given more than once"),
    ],
)
def test_values_that_do_not_fit_the_program(
    table: str, capsys: pytest.CaptureFixture[str], given: list[str], status: int, message: str
) -> None:
    assert main(["run", "-t", table, *given, "SELECT city FROM w WHERE city = $c"]) == status
    assert message in capsys.readouterr().err


def test_what_goes_with_every_request(table: str, server: Server) -> None:
    words = ["--header", "X-Team=a=b", "--query", "v=1", "--extra-body", '{"top_k": 3}']
    assert main(["run", 'QA("map@which?"; city)', "--table", table, "--no-cache", *words]) == DONE
    assert server.headers[0]["x-team"] == "a=b" and server.queries == ["v=1"]
    assert server.requests[0]["top_k"] == 3


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--header", "X-Team"], "--header X-Team: no NAME=VALUE"),
        (["--query", "a=1", "--query", "a=2"], "--query a is given more than once"),
        (["--extra-body", "{top_k: 3}"], "--extra-body is no JSON"),
        (["--extra-body", "[3]"], "extra_body is a list"),
    ],
)
def test_what_cannot_go_with_a_request(
    table: str, words: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["run", "SELECT 1", "--table", table, *words]) == USAGE
    assert message in capsys.readouterr().err


@pytest.mark.parametrize(
    "words", [["-", "--table", "-"], ["SELECT 1", "--table", "a=-", "--table", "b=-"]]
)
def test_standard_input_is_read_once(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["run", *words]) == USAGE
    assert "standard input is read once" in capsys.readouterr().err
