"""What `countersign plugin test` finds, for a test of pytest for each case."""

import json
import os
import subprocess
from pathlib import Path


def report(
    component: str, *vectors: str, command: str | None = None, sources: str = "src"
) -> dict:
    """The report on a component, as `countersign plugin build` leaves it, and on its cases. The command is
    `countersign` on the path, or what `COUNTERSIGN` names, where nothing is said. What the component is built
    from, the Python files of a folder, has to be older."""
    built = Path(component)
    if built.exists():
        time = built.stat().st_mtime
        for source in filter(is_source, Path(sources).rglob("*.py")):
            if source.stat().st_mtime > time:
                raise RuntimeError(f"{source} is newer than {component}: run countersign plugin build first")
    command = command or os.environ.get("COUNTERSIGN", "countersign")
    name = Path(component).stem
    given = ["plugin", "test", component, *(vectors or ("vectors",)), "--json", "--interpreted", name]
    ran = subprocess.run([command, *given], capture_output=True, text=True)
    try:
        found = json.loads(ran.stdout)
    except json.JSONDecodeError:
        found = {}
    if "cases" not in found:
        raise RuntimeError(f"{command} plugin test made no report:\n{ran.stderr}")
    return found


def is_source(path: Path) -> bool:
    """Whether somebody wrote it: neither an editor's own file nor the types that are made for editors."""
    made = any(part.startswith((".", "wit_world", "componentize_py")) for part in path.parts)
    return path.is_file() and not made
