"""The rules of the house, as `docs/DESIGN.md` and `docs/STYLE.md` have them. A rule is changed there, then here."""

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
FLOORS = ("app", "gateway", "ui")
FORBIDDEN_NAMES = {"utils", "helpers", "common", "misc", "base", "manager"}
MAX_FILE_LINES = 500
MAX_FUNCTION_LINES = 60
BROAD_EXCEPTS = {
    "gateway/errors.py": 1,
    "app/store/writer.py": 1,
    "app/evals/runner.py": 1,
    "ui/main.py": 1,
}

ROOMS = {
    "sqlite3": ("app/store/",),
    "sqlite_utils": ("app/store/",),
    "aiohttp.web": ("gateway/",),
    "aiohttp": ("gateway/", "ui/client.py"),
    "PySide6": ("ui/",),
    "qasync": ("ui/",),
    "pyqtgraph": ("ui/kit/plot.py",),
}
FLOOR_RULES = {"app": ("gateway", "ui"), "gateway": ("ui", "PySide6", "qasync"), "ui": ("gateway", "sqlite3")}


def sources() -> list[Path]:
    return sorted(path for floor in FLOORS for path in (ROOT / floor).rglob("*.py"))


def name_of(path: Path) -> str:
    return str(path.relative_to(ROOT)).replace("\\", "/")


def module_of(path: Path) -> str:
    return name_of(path).removesuffix(".py").removesuffix("/__init__").replace("/", ".")


@cache
def tree_of(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def imports_of(path: Path) -> Iterator[tuple[str, int]]:
    """Every module the file imports at any level: inside functions and under TYPE_CHECKING too."""
    for node in ast.walk(tree_of(path)):
        if isinstance(node, ast.Import):
            yield from ((alias.name, node.lineno) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{name_of(path)}:{node.lineno}: relative import"
            assert node.module is not None
            yield node.module, node.lineno
            yield from ((f"{node.module}.{alias.name}", node.lineno) for alias in node.names)


def is_within(module: str, package: str) -> bool:
    return module == package or module.startswith(package + ".")


def test_no_floor_looks_where_it_must_not() -> None:
    wrong = [
        f"{name_of(path)}:{line} imports {module}"
        for path in sources()
        for module, line in imports_of(path)
        if any(is_within(module, other) for other in FLOOR_RULES[name_of(path).split("/")[0]])
    ]
    assert not wrong, "\n".join(wrong)


def test_outside_libraries_keep_to_their_rooms() -> None:
    wrong = [
        f"{name_of(path)}:{line} imports {module}"
        for path in sources()
        for module, line in imports_of(path)
        for library, rooms in ROOMS.items()
        if is_within(module, library) and not any(name_of(path).startswith(room) for room in rooms)
    ]
    assert not wrong, "\n".join(wrong)


def test_aiohttp_clients_live_upstream_and_in_the_desktops_client() -> None:
    wrong = [
        f"{name_of(path)}:{node.lineno}"
        for path in sources()
        for node in ast.walk(tree_of(path))
        if isinstance(node, ast.Attribute | ast.Name)
        and (node.attr if isinstance(node, ast.Attribute) else node.id) == "ClientSession"
        and not name_of(path).startswith(("gateway/upstream/", "ui/client.py"))
    ]
    assert not wrong, "\n".join(wrong)


def test_no_import_circle() -> None:
    modules = {module_of(path): path for path in sources()}
    edges = {
        module: {
            target
            for name, _ in imports_of(path)
            for target in (name, name.rpartition(".")[0])
            if target in modules and target != module and modules[target].name != "__init__.py"
        }
        for module, path in modules.items()
    }
    done: set[str] = set()

    def walk(module: str, trail: tuple[str, ...]) -> None:
        assert module not in trail, "import circle: " + " -> ".join((*trail[trail.index(module) :], module))
        if module in done:
            return
        for target in sorted(edges[module]):
            walk(target, (*trail, module))
        done.add(module)

    for module in sorted(edges):
        walk(module, ())


@pytest.mark.parametrize("path", sources(), ids=name_of)
def test_file_is_one_short_idea(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    if path.name == "__init__.py":
        assert not text.strip(), "an __init__.py stays empty: import from the file that defines it"
        return
    assert path.stem not in FORBIDDEN_NAMES, "name it for what it is"
    assert len(text.splitlines()) <= MAX_FILE_LINES, "look for the second idea"
    tree = tree_of(path)
    assert ast.get_docstring(tree), "the module has no docstring"
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            length = (node.end_lineno or node.lineno) - node.lineno + 1
            assert length <= MAX_FUNCTION_LINES, f"{node.name} has {length} lines"


def test_broad_excepts_stand_only_where_the_style_allows() -> None:
    found: dict[str, int] = {}
    for path in sources():
        for node in ast.walk(tree_of(path)):
            if not isinstance(node, ast.ExceptHandler):
                continue
            caught = ast.unparse(node.type) if node.type else "everything"
            if re.search(r"\b(Exception|BaseException|everything)\b", caught):
                found[name_of(path)] = found.get(name_of(path), 0) + 1
    wrong = {name: count for name, count in found.items() if count > BROAD_EXCEPTS.get(name, 0)}
    assert not wrong


def test_tasks_start_through_our_own_hand() -> None:
    wrong = [
        f"{name_of(path)}:{node.lineno}"
        for path in sources()
        for node in ast.walk(tree_of(path))
        if isinstance(node, ast.Call)
        and ast.unparse(node.func).split(".")[-1] in {"create_task", "ensure_future"}
        and name_of(path) != "app/tasks.py"
    ]
    assert not wrong, "\n".join(wrong)


def test_no_dialog_blocks_the_loop() -> None:
    wrong = [
        f"{name_of(path)}:{node.lineno}"
        for path in sources()
        if name_of(path).startswith("ui/")
        for node in ast.walk(tree_of(path))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in {"exec", "exec_"}
    ]
    assert not wrong, "\n".join(wrong)


def test_models_of_the_screen_know_no_widgets() -> None:
    wrong = [
        f"{name_of(path)}:{line}"
        for path in sources()
        if name_of(path).startswith("ui/") and path.stem.endswith("model")
        for module, line in imports_of(path)
        if is_within(module, "PySide6.QtWidgets")
    ]
    assert not wrong, "\n".join(wrong)


def test_a_page_never_imports_a_page() -> None:
    pages = {p.name for p in (ROOT / "ui").iterdir() if p.is_dir() and p.name not in {"kit", "__pycache__"}}
    wrong = []
    for path in sources():
        parts = name_of(path).split("/")
        if parts[0] != "ui" or len(parts) < 3 or parts[1] not in pages:
            continue
        wrong += [
            f"{name_of(path)}:{line} imports {module}"
            for module, line in imports_of(path)
            for other in pages - {parts[1]}
            if is_within(module, f"ui.{other}")
        ]
    assert not wrong, "\n".join(wrong)


def test_sql_is_never_built_from_text_outside_the_store() -> None:
    statement = re.compile(r"\b(SELECT .+ FROM|INSERT INTO|UPDATE .+ SET|DELETE FROM)\b")
    wrong = [
        f"{name_of(path)}:{node.lineno}"
        for path in sources()
        if not name_of(path).startswith("app/store/")
        for node in ast.walk(tree_of(path))
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and statement.search(node.value)
    ]
    assert not wrong, "\n".join(wrong)


def test_tests_mirror_the_source() -> None:
    tested = {path.stem.removeprefix("test_") for path in (ROOT / "tests").rglob("test_*.py")}
    assert tested, "no tests"
    assert not list((ROOT / "tests").rglob("__init__.py")), "tests are no package"
