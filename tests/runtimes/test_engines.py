from __future__ import annotations

import importlib.util
import subprocess
import sys
from pathlib import Path

import pytest

from finegraft import runtimes
from finegraft.errors import MissingExtra, UsageError
from finegraft.runtimes import available, choose, open_graph, purpose_for
from tests.conftest import skip_or_fail
from tests.graphs import small_graph


def in_a_new_process(code: str, folder: Path) -> str:
    """Run `code` with the file `model.onnx` in its folder; what it printed."""
    (folder / "model.onnx").write_bytes(small_graph())
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=folder, capture_output=True, text=True, check=True, timeout=120
    )
    return done.stdout.strip()


def without(monkeypatch: pytest.MonkeyPatch, package: str) -> None:
    """Make `package` look as if it were not installed."""
    found = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == package else found(name))


def test_an_engine_is_chosen_by_what_it_is_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runtimes, "available", lambda: ["onnxruntime", "openvino"])
    assert choose("auto", "start") == "onnxruntime"
    assert choose("auto", "throughput") == "openvino"
    assert choose("openvino", "start") == "openvino"


def test_without_openvino_there_is_still_an_engine(monkeypatch: pytest.MonkeyPatch) -> None:
    without(monkeypatch, "openvino")
    assert available() == ["onnxruntime"]
    assert choose("auto", "throughput") == "onnxruntime"
    with pytest.raises(MissingExtra, match=r'not installed\. Install it with: pip install "finegraft\[openvino\]"'):
        choose("openvino")


def test_an_unknown_engine_is_named_with_those_there_are() -> None:
    with pytest.raises(
        UsageError, match=r"There is no engine called 'tensorrt'\. Known: auto, onnxruntime, openvino\."
    ):
        open_graph(small_graph(), "tensorrt")


@pytest.mark.parametrize(("threads", "streams"), [(0, 1), (2, 0)])
def test_an_engine_needs_a_thread_and_a_stream(threads: int, streams: int) -> None:
    with pytest.raises(UsageError, match=f"at least one thread and one stream, got {threads} and {streams}"):
        open_graph(small_graph(), threads=threads, streams=streams)


def test_few_items_want_a_quick_start_and_many_a_high_rate() -> None:
    assert [purpose_for(n) for n in (0, 1, 35)] == ["start"] * 3
    assert [purpose_for(n) for n in (36, 1000, None)] == ["throughput"] * 3


def test_asking_which_engines_there_are_imports_none(tmp_path: Path) -> None:
    code = (
        "import sys; from finegraft.runtimes import available, choose, usable_cpus; available(); choose(); "
        "usable_cpus(); print([m for m in ('onnxruntime', 'openvino', 'torch') if m in sys.modules])"
    )
    assert in_a_new_process(code, tmp_path) == "[]"


OPENED = (
    "from pathlib import Path; from finegraft.runtimes import open_graph; "
    "r = open_graph(Path('model.onnx').read_bytes(), {engine!r}); "
)


def test_onnxruntime_tells_its_maker_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It keeps what it will report in a file below the home folder; where CI is set it reports nothing anyway."""
    home = tmp_path / "home"
    home.mkdir()
    for name in ("CI", "GITHUB_ACTIONS", "TF_BUILD", "ORT_DISABLE_TELEMETRY", "XDG_CACHE_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(home))
    code = OPENED.format(engine="onnxruntime") + "import os; print(os.environ['ORT_DISABLE_TELEMETRY'])"
    assert in_a_new_process(code, tmp_path) == "1"
    assert list(home.rglob("*")) == []


def test_openvino_tells_its_maker_nothing(tmp_path: Path) -> None:
    if "openvino" not in available():
        skip_or_fail("openvino is not installed")
    code = OPENED.format(engine="openvino") + "import sys; print([m for m in sys.modules if 'telemetry' in m])"
    assert in_a_new_process(code, tmp_path) == "[]"


def test_openvino_converters_can_be_imported_afterwards(tmp_path: Path) -> None:
    if "openvino" not in available():
        skip_or_fail("openvino is not installed")
    code = OPENED.format(engine="openvino") + "import sys; print('openvino.tools.ovc' in sys.modules)"
    assert in_a_new_process(code, tmp_path) == "False"


def test_eight_threads_may_ask_first_all_at_once(tmp_path: Path) -> None:
    """OpenVINO's binding blocked itself for good in one start of six, before the first inference went alone."""
    if "openvino" not in available():
        skip_or_fail("openvino is not installed")
    code = OPENED.format(engine="openvino") + (
        "import threading, numpy as np\n"
        "start = threading.Barrier(8)\n"
        "def ask():\n"
        "    start.wait()\n"
        "    r.run(np.zeros((1, 8, 8, 3), np.uint8))\n"
        "threads = [threading.Thread(target=ask) for _ in range(8)]\n"
        "[t.start() for t in threads]; [t.join() for t in threads]\n"
        "print('answered')"
    )
    for _ in range(3):
        assert in_a_new_process(code, tmp_path) == "answered"
