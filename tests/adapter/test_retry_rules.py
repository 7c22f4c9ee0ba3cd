"""RT-1 over the whole package: what is tried again is named, and nothing swallows cancellation."""

import ast
from pathlib import Path

import pytest

import foxtrot

BANNED = {"retry_if_not_exception_type", "retry_unless_exception_type", "retry_always", "stop_never", "retry_if_exception"}
"""They try again what nobody named (cancellation too), or for ever."""


def offences(source: str) -> list[str]:
    """What a module does with tenacity that it must not."""
    tree = ast.parse(source)
    found = []
    for node in ast.walk(tree):
        name = node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""
        if name in BANNED:
            found.append(name)
        if isinstance(node, ast.ImportFrom) and node.module == "tenacity":
            found += [f"from tenacity import {each.name}" for each in node.names]  # or a bare @retry could not be told
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            found += [f"@{ast.unparse(each)}" for each in node.decorator_list if "tenacity" in ast.unparse(each)]
        if isinstance(node, ast.Call) and name_of(node.func) in {"Retrying", "AsyncRetrying"}:
            missing = {"retry", "stop", "wait", "reraise"} - {each.arg for each in node.keywords}
            found += [f"{name_of(node.func)} without {each}" for each in sorted(missing)]
    return found


def name_of(node: ast.expr) -> str:
    return ast.unparse(node).rpartition(".")[2]


@pytest.mark.parametrize("path", sorted(Path(foxtrot.__file__).parent.rglob("*.py")), ids=lambda path: path.stem)
def test_no_module_tries_again_what_nobody_named(path: Path) -> None:
    """An allow-list of errors, an end, a wait, and the error itself in the end."""
    assert offences(path.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize(
    "source",
    [
        "import tenacity\n@tenacity.retry\ndef f(): ...",
        "from tenacity import retry\n@retry\ndef f(): ...",
        "import tenacity\n@tenacity.retry(stop=3)\nasync def f(): ...",
        "import tenacity\ntenacity.AsyncRetrying(retry=tenacity.retry_if_not_exception_type(E), stop=1, wait=2, reraise=True)",
        "import tenacity as t\nt.Retrying(retry=t.retry_unless_exception_type(E), stop=1, wait=2, reraise=True)",
        "import tenacity\ntenacity.AsyncRetrying(stop=1)",
        "import tenacity\ntenacity.Retrying(retry=tenacity.retry_if_exception(f), stop=1, wait=2, reraise=True)",
    ],
)
def test_the_rule_finds_what_it_forbids(source: str) -> None:
    """Each of the known traps."""
    assert offences(source)
