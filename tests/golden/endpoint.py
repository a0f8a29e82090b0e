"""A scripted endpoint of the golden run: its replies follow from the body of a request alone.

A question about rows says what it does (`upper?`, `length?`, ...); any other is answered by the
type it asks for. A question for a program is answered from SCRIPTS. Nothing of binder is used, so
that it stays the same whatever becomes of the code."""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self

Row = list[Any]
Body = dict[str, Any]

PORT = 28431  # fixed, for answers are kept under the address of the endpoint


def _text(row: Row) -> str:
    return " ".join(str(value) for value in row if value is not None)


MAPS: dict[str, Callable[[Row], Any]] = {
    "upper?": lambda row: _text(row).upper(),
    "length?": lambda row: len(_text(row)),
    "first letter?": lambda row: _text(row)[:1],
    "long?": lambda row: len(_text(row)) > 4,
    "vowel?": lambda row: "a" in _text(row).casefold(),
    "yesno?": lambda row: "yes" if len(_text(row)) > 4 else "no",
    "same?": lambda row: str(row[0]).casefold() == str(row[-1]).casefold(),
    "both?": lambda row: "/".join("-" if value is None else str(value) for value in row),
    "founded?": lambda row: f"{1900 + len(_text(row))}-01-0{len(_text(row)) % 9 + 1}",
    "known?": lambda row: None if "a" in _text(row).casefold() else _text(row).upper(),
    "nothing?": lambda row: None,
    "a poem?": lambda row: [_text(row), "and more"],
    "words for a number?": lambda row: "many",
}

ANSWERS: dict[str, Callable[[list[list[Row]]], list[Any]]] = {
    "all?": lambda parts: [row[0] for part in parts for row in part],
    "first?": lambda parts: [row[0] for row in parts[0][:1]],
    "how many?": lambda parts: [sum(len(part) for part in parts)],
    "longest?": lambda parts: [max((str(row[0]) for part in parts for row in part), key=len)],
    "any long?": lambda parts: [
        "yes" if any(len(str(row[0])) > 4 for part in parts for row in part) else "no"
    ],
    "nothing?": lambda parts: [],
}

# The question for a program -> the programs, of each language in turn; after "repaired" what a
# failed one is replaced by.
SCRIPTS: dict[str, dict[str, list[str]]] = {
    "which city is small?": {"sql": ["SELECT city FROM w WHERE people < 600"], "python": ["def solve(w, v):\n    return 'Lyon'"]},
    "which city has the most people?": {
        "sql": [
            "SELECT city FROM w ORDER BY people DESC LIMIT 1",
            "```sql\nSELECT city FROM w ORDER BY people DESC LIMIT 1\n```",
        ],
        "python": ["def solve(w, v):\n    return max(w, key=lambda r: r['people'] or 0)['city']"],
    },
    "which city is heavy?": {
        "sql": ["SELECT weight FROM w"],
        "python": ["def solve(w, v):\n    return [r['weight'] for r in w]"],
        "repaired": ["SELECT city FROM w WHERE people > 1000"],
    },
    "which cities have long names?": {
        "sql": ['SELECT city FROM w WHERE QA("map@long?"; city)', 'SELECT city FROM w WHERE QA("map@yesno?"; city) = \'yes\''],
        "python": ["def solve(w, v):\n    return [r['city'] for r, l in zip(w, qa_map(w, 'long?', ['city'])) if l]"],
    },
    "how many countries are there?": {
        "sql": [
            "SELECT COUNT(DISTINCT country) FROM w",
            "SELECT COUNT(*) FROM w",
            "SELECT COUNT(DISTINCT country) AS n FROM w",
        ],
        "python": ["def solve(w, v):\n    return len({r['country'] for r in w})"],
    },
    "which city is in no language?": {"sql": ["I cannot say."], "python": ["I cannot say."], "repaired": ["Nor can I now."]},
    "which city was founded first?": {
        "sql": ["SELECT city FROM w WHERE founded = (SELECT MIN(founded) FROM w)", "SELECT city FROM"],
        "python": ["def solve(w, v):\n    return sorted(w, key=lambda r: r['founded'])[0]['city']"],
        "repaired": ["SELECT city FROM w ORDER BY founded LIMIT 1"],
    },
    "what is said of all cities?": {
        "sql": ['QA("ans@longest?"; SELECT city FROM w)'],
        "python": ["def solve(w, v):\n    return qa_ans(w, 'longest?', ['city'])"],
    },
    "which land has the oldest city?": {
        "sql": ["SELECT v.land FROM w JOIN v ON w.country = v.code ORDER BY w.founded LIMIT 1"],
        "python": [
            "def solve(w, v):\n    code = min(w, key=lambda r: r['founded'])['country']\n"
            "    return [r['land'] for r in v if r['code'] == code]"
        ],
    },
    "what fails as it runs?": {
        "sql": ["SELECT CAST(city AS INTEGER) FROM w"],
        "python": ["def solve(w, v):\n    return w[99]['city']"],
        "repaired": ["SELECT people FROM w LIMIT 1"],
    },
    "is paris in france?": {
        "sql": ["SELECT country = 'FR' FROM w WHERE city = 'Paris'"],
        "python": ["def solve(w, v):\n    return True"],
    },
}  # fmt: skip


class Endpoint:
    """The endpoint, and the log of the bodies of requests. refuses: every request is refused."""

    def __init__(self, port: int = PORT):
        self.log: list[Body] = []
        self.refuses = False
        self._server = _Server(("127.0.0.1", port), _Handler)
        self._server.endpoint = self
        self._thread = threading.Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True
        )

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    @property
    def port(self) -> int:
        """Where it listens."""
        return int(self._server.server_address[1])

    @property
    def url(self) -> str:
        """Its base_url."""
        return f"http://127.0.0.1:{self.port}/v1"

    def taken(self) -> list[Body]:
        """The bodies since the last call, in an order of their own: that of arrival is left to
        chance."""
        bodies, self.log = self.log, []
        return sorted(bodies, key=lambda body: json.dumps(body, sort_keys=True))


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128
    endpoint: Endpoint


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server

    def do_POST(self) -> None:
        """One request."""
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        self.server.endpoint.log.append({"path": self.path, **body})
        if self.server.endpoint.refuses or not self.path.endswith("/chat/completions"):
            self._send(
                400, {"error": {"message": "nothing may be asked", "type": "invalid_request_error"}}
            )
        else:
            self._send(200, completion(body))

    def log_message(self, *_: object) -> None:
        """Nothing is printed."""

    def _send(self, status: int, said: Body) -> None:
        data = json.dumps(said).encode()
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)


def completion(body: Body) -> Body:
    """The chat completion for a request: n texts, and tokens that follow from their lengths."""
    texts = [reply(body, number) for number in range(body.get("n") or 1)]
    choices = [
        {"index": index, "finish_reason": "stop", "message": {"role": "assistant", "content": text}}
        for index, text in enumerate(texts)
    ]
    prompt = sum(len(message["content"]) for message in body["messages"]) // 4
    said = sum(map(len, texts)) // 4
    usage = {"prompt_tokens": prompt, "completion_tokens": said, "total_tokens": prompt + said}
    return {
        "id": "c",
        "object": "chat.completion",
        "created": 0,
        "model": body["model"],
        "choices": choices,
        "usage": usage,
    }


def reply(body: Body, number: int) -> str:
    """One text of the reply to a request."""
    task = task_of(body)
    if task is None:
        return _program(body, number)
    question = task["question"]
    if question == "broken?":
        return "I would rather not say."
    if task["task"] == "map":
        rows = task["rows"].items()
        if question == "half?":  # of each request the first half, rounded up
            rows = list(rows)[: (len(rows) + 1) // 2]
        answers: Any = {key: _answer(task, row) for key, row in rows}
    else:
        parts = [task["rows"], *(more["rows"] for more in task["more"])]
        known = ANSWERS.get(question)
        answers = known(parts) if known else [_answer(task, row) for row in parts[0][:1]]
    return json.dumps({"answers": answers}, ensure_ascii=False)


def task_of(body: Body) -> Body | None:
    """The task of a request about rows; None where a program is asked for."""
    try:
        task = json.loads(body["messages"][-1]["content"])
    except (KeyError, ValueError):
        return None
    return task if isinstance(task, dict) and "task" in task else None


def _answer(task: Body, row: Row) -> Any:
    """The answer about one row: as the question says, else one of the type that is asked for."""
    known = MAPS.get(task["question"])
    if known is not None:
        return known(row)
    text = _text(row)
    chance = int(hashlib.sha256(f"{task['question']} {text}".encode()).hexdigest(), 16)
    if task["options"]:
        return task["options"][chance % len(task["options"])]
    made = {
        "number": chance % 100,
        "boolean": chance % 2 == 0,
        "date": f"19{chance % 90 + 10}-0{chance % 9 + 1}-15",
    }
    return made.get(task["type"], text.title())


def _program(body: Body, number: int) -> str:
    """The program for a question, what replaces one that failed, or whether an answer is
    believed."""
    messages = body["messages"]
    asked = [message["content"] for message in messages if message["role"] == "user"]
    repair = not asked[-1].rpartition("Question: ")[1]
    if "Proposed answer: " in asked[-1]:
        return "true" if number % 2 == 0 else "false"
    said = next(text for text in reversed(asked) if "Question: " in text)
    script = SCRIPTS[said.rpartition("Question: ")[2].strip()]
    language = "python" if "Python function" in messages[0]["content"] else "sql"
    texts = script.get("repaired", ["There is none."]) if repair else script[language]
    return texts[number % len(texts)]
