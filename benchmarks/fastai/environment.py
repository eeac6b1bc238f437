"""fastai's own virtual environment: benchmarks/.venv-fastai, made once from requirements.txt."""

from __future__ import annotations

import hashlib
import subprocess
import sys
import venv
from pathlib import Path

HERE = Path(__file__).resolve().parent
FOLDER = HERE.parent / ".venv-fastai"
REQUIREMENTS = HERE / "requirements.txt"


def python(folder: Path = FOLDER, requirements: Path = REQUIREMENTS) -> Path:
    """The interpreter of the environment; makes or remakes it when `requirements` is not what was installed."""
    wanted = hashlib.sha256(requirements.read_bytes()).hexdigest()
    mark = folder / "installed.sha256"  # written last: an install broken off is begun again
    interpreter = folder / ("Scripts/python.exe" if sys.platform == "win32" else "bin/python")
    if mark.exists() and mark.read_text() == wanted:
        return interpreter
    print(f"Making {folder} (about 1.5 GB) …", file=sys.stderr)
    venv.create(folder, clear=True, with_pip=True)
    subprocess.run([interpreter, "-m", "pip", "install", "--quiet", "-r", requirements], check=True)
    mark.write_text(wanted)
    return interpreter
