"""What nginx answers in the API's stead has the API's form."""

import json

from tests.program import Program
from tests.stack import Stack


def test_what_is_too_much_for_nginx_is_a_problem_document(stack: Stack) -> None:
    program = Program.of(stack, "edges")
    too_long = program.send("GET", f"instances/?search={'x' * 9000}")
    too_large = program.send("POST", "instances/", {"name": "x" * 3 * 1024**2})
    for answer, status in ((too_long, 414), (too_large, 413)):
        assert answer.status == status
        assert answer.headers["content-type"] == "application/problem+json"
        assert json.loads(answer.body)["status"] == status
