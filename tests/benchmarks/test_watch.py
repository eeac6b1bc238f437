from __future__ import annotations

import os
import subprocess
import sys

import pytest

from benchmarks import watch

HOLD = "import time; held = bytearray({size}); held[::4096] = b'x' * len(held[::4096]); time.sleep(1.5)"
linux = pytest.mark.skipif(not watch.PROC.is_dir(), reason="memory of a tree is read from /proc")


def python(code: str, **settings: object) -> watch.Watched:
    return watch.run([sys.executable, "-c", code], **settings)  # type: ignore[arg-type]


def test_says_what_a_command_did():
    done = python("import sys; print('out'); print(sys.stdin.read(), file=sys.stderr); sys.exit(3)", stdin="given")
    assert (done.code, done.stdout, done.stderr) == (3, "out\n", "given\n")
    assert 0 < done.seconds < 60
    assert 0 <= done.others < 2


def test_large_output_does_not_block():
    assert len(python("print('x' * 1_000_000)").stdout) == 1_000_001


@linux
def test_peak_counts_the_whole_tree():
    size = 60_000_000
    child = HOLD.format(size=size)
    alone = python(child)
    tree = python(f"import subprocess, sys; subprocess.run([sys.executable, '-c', {child!r}]); {child}")
    together = python(
        f"import subprocess, sys; p = subprocess.Popen([sys.executable, '-c', {child!r}]); {child}; p.wait()"
    )
    assert alone.peak is not None
    assert tree.peak is not None
    assert together.peak is not None
    assert size < alone.peak < size + 40_000_000
    assert size < tree.peak < alone.peak + 30_000_000  # one after the other: the larger, not the sum
    assert 2 * size < together.peak < 2 * alone.peak + 10_000_000


@linux
def test_the_tree_holds_orphans_of_the_session():
    code = "import subprocess; subprocess.Popen(['sleep', '20'], stdout=subprocess.DEVNULL)"  # its parent ends at once
    words = ["sh", "-c", f'{sys.executable} -c "{code}"; echo ended; sleep 20']
    shell = subprocess.Popen(words, start_new_session=True, stdout=subprocess.PIPE, text=True)
    try:
        assert shell.stdout is not None
        assert shell.stdout.readline() == "ended\n"  # before that, the parent of the orphan might be counted
        for _ in range(100):
            if len(watch.tree(shell.pid)) == 3:
                break
            subprocess.run(["sleep", "0.05"], check=True)
        assert len(watch.tree(shell.pid)) == 3  # the shell, its sleep, the orphan
    finally:
        os.killpg(shell.pid, 9)
        shell.wait()


@linux
def test_another_process_is_not_in_the_tree():
    assert os.getpid() not in watch.tree(2**22 + 1)
    assert watch.pss(2**22 + 1) == 0


def test_memory_may_be_left_out():
    assert python("", memory=False).peak is None


@pytest.mark.skipif(not hasattr(os, "sched_getaffinity"), reason="processors cannot be chosen here")
def test_cores_are_those_of_the_child_only():
    before = os.sched_getaffinity(0)
    assert python("import os; print(len(os.sched_getaffinity(0)))", cores=1).stdout == "1\n"
    assert os.sched_getaffinity(0) == before


def test_what_takes_too_long_is_killed():
    with pytest.raises(subprocess.TimeoutExpired):
        python("import time; time.sleep(60)", timeout=0.3)


def test_a_failed_command_is_named_with_its_last_words():
    done = python("import sys; print('first', file=sys.stderr); sys.exit('no such folder')")
    with pytest.raises(watch.CommandFailedError, match=r"ended with exit code 1: no such folder"):
        watch.checked(done)
    assert watch.checked(done, codes=(0, 1)) is done
