"""The house rules, as far as a machine can check them."""

import ast
import re
import subprocess
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SOURCES = sorted((ROOT / "src").rglob("*.py"))
TESTS = sorted((ROOT / "tests").rglob("test_*.py"))
BANNED = {"utils", "util", "helpers", "helper", "common", "core", "base", "misc", "manager"}


def name(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def public_definitions(tree: ast.Module) -> list[ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef]:
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
    return [node for node in tree.body if isinstance(node, kinds) and not node.name.startswith("_")]


@pytest.mark.parametrize("path", SOURCES, ids=name)
def test_a_source_file_keeps_the_rules(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert text.count("\n") <= 300, "a file has at most 300 lines"
    assert not BANNED & set(re.split(r"[/._]", name(path))), "a name that says nothing"
    tree = ast.parse(text)
    docstring = ast.get_docstring(tree)
    assert docstring, "a module has a docstring"
    for node in public_definitions(tree):
        assert ast.get_docstring(node), f"{node.name} has a docstring"


@pytest.mark.parametrize("path", SOURCES, ids=name)
def test_nothing_untrusted_is_executed(path: Path) -> None:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import | ast.ImportFrom):
            names = {alias.name.partition(".")[0] for alias in node.names} | {
                (getattr(node, "module", "") or "").partition(".")[0]
            }
            assert not names & {"pickle", "cloudpickle", "dill", "joblib", "shelve", "marshal"}
        if isinstance(node, ast.Call):
            called = ast.unparse(node.func)
            assert called not in {"eval", "exec", "compile", "os.system", "os.popen"}
            assert not any(k.arg == "shell" for k in node.keywords)
            if called.endswith(("np.load", "numpy.load")):
                assert not any(k.arg == "allow_pickle" and ast.unparse(k.value) != "False" for k in node.keywords)


@pytest.mark.parametrize("path", TESTS, ids=name)
def test_every_test_asserts_something(path: Path) -> None:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test"):
            body = ast.dump(node)
            assert any(word in body for word in ("Assert(", "raises", "assert_", "check", "expect")), node.name


@pytest.mark.parametrize("path", TESTS, ids=name)
def test_tests_mirror_the_source(path: Path) -> None:
    folder = path.parent.relative_to(ROOT / "tests")
    if folder.parts[:1] not in (("house",), ("journeys",), ("clients",)):
        assert (ROOT / "src" / "headrace" / folder).is_dir(), f"{folder} is no folder of src/headrace"


def test_every_subject_of_the_readme_tree_exists() -> None:
    tree = re.search(r"```\nsrc/headrace/\n(.*?)```", (ROOT / "README.md").read_text(encoding="utf-8"), re.DOTALL)
    assert tree, "the README shows the tree"
    path: list[str] = []
    shown = set()
    for line in tree[1].splitlines():
        match = re.match(r"( *)(\S+)", line)
        assert match, line
        depth = len(match[1]) // 2
        path = [*path[: depth - 1], match[2].rstrip("/")]
        shown.add("/".join(path))
        assert (ROOT / "src/headrace" / "/".join(path)).exists(), line
    rooms = {p.name for p in (ROOT / "src/headrace/ml").iterdir() if p.name not in ("__pycache__", "__init__.py")}
    assert {f"ml/{room}" for room in rooms} <= shown, "every room of ml is shown"


def test_the_readme_commands_are_targets_and_options_that_exist() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    named = {first or second for first, second in re.findall(r"^make ([a-z-]+)|`make ([a-z-]+)`", text, re.MULTILINE)}
    assert {"demo", "test"} <= named <= targets
    from typer.main import get_command

    from headrace.cli.application import application

    commands = getattr(get_command(application), "commands")  # noqa: B009
    for line in re.findall(r"^\s*(?:\$ )?headrace (.+)$", text, re.MULTILINE):
        words = line.split("#")[0].split()
        command = commands[words[0]]
        options = {option for parameter in command.params for option in (*parameter.opts, *parameter.secondary_opts)}
        assert {word for word in words if word.startswith("-")} <= options | {"--help"}, line


def test_the_locks_name_no_registry() -> None:
    for lock in (ROOT / "requirements").glob("*.txt"):
        assert not re.search(r"https?://|file:|--index-url|--find-links", lock.read_text(encoding="utf-8")), lock.name


def test_the_locks_cover_every_dependency() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    locked = set(
        re.findall(r"^([a-z0-9-]+)==", (ROOT / "requirements/run.txt").read_text(encoding="utf-8"), re.MULTILINE)
    )
    asked = {re.split(r"[\[<>=;! ]", line)[0] for line in project["dependencies"]}
    assert asked <= locked


def test_the_project_stands_alone() -> None:
    files = subprocess.run(
        ["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout.split("\0")
    outside = re.compile(
        "|".join(map(re.escape, ("../sha" + "red", "/work/" + "shared", "farm-" + "studio", "farm-" + "bench")))
    )
    for file in files:
        path = ROOT / file
        if file and path.is_file() and path.suffix not in (".csv", ".onnx", ".npz", ".gz", ".png", ".js"):
            assert not outside.search(path.read_text(encoding="utf-8", errors="replace")), file
