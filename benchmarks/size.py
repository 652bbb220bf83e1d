"""The slim core on disk: the wheel installed without extras into a fresh environment, with and without bytecode."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import venv
from pathlib import Path

HERE = Path(__file__).parent


def megabytes(folder: Path) -> float:
    """Return the size of all files below a folder in MB of 2**20 bytes."""
    return sum(f.stat().st_size for f in folder.rglob("*") if f.is_file() and not f.is_symlink()) / 2**20


def main() -> None:
    """Measure, and keep the rows in results/size.json."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name) / "venv"
        venv.create(folder, with_pip=True)
        python = folder / "bin/python"
        subprocess.run([python, "-m", "pip", "install", "-q", "--no-compile", str(HERE.parent)], check=True)
        plain = megabytes(folder)
        subprocess.run([python, "-m", "compileall", "-q", folder / "lib"], check=False, stdout=subprocess.DEVNULL)
        rows = {"slim core": plain, "slim core with bytecode": megabytes(folder)}
    results = HERE / "results" / "size.json"
    results.parent.mkdir(exist_ok=True)
    results.write_text(json.dumps(rows, indent=1))
    print(sys.version.split()[0], rows)


if __name__ == "__main__":
    main()
