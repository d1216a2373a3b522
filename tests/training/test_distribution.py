"""Training on several machines: two workers over loopback, and two chips, learn what one does."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from tinyml.errors import ConfigError
from tinyml.training import Options, RunOptions, train

WORKER = Path(__file__).with_name("worker.py")
_PATIENCE_S = 500  # a worker that waits for another for ever fails the test, not the machine


def _start(strategy: str, out: Path, config: dict[str, object] | None) -> subprocess.Popen[bytes]:
    environment = {**os.environ, "CUDA_VISIBLE_DEVICES": "", "TF_CPP_MIN_LOG_LEVEL": "3"}
    environment.pop("TF_CONFIG", None)
    if config is not None:
        environment["TF_CONFIG"] = json.dumps(config)
    command = [sys.executable, str(WORKER), strategy, str(out)]
    return subprocess.Popen(command, env=environment, stderr=subprocess.PIPE)


def _free_ports(count: int) -> list[int]:
    sockets = [socket.socket() for _ in range(count)]
    for one in sockets:
        one.bind(("127.0.0.1", 0))
    ports = [one.getsockname()[1] for one in sockets]
    for one in sockets:
        one.close()
    return ports


@pytest.mark.needs_tensorflow
def test_two_workers_or_two_chips_learn_what_one_learns(tmp_path: Path) -> None:
    workers = [f"127.0.0.1:{port}" for port in _free_ports(2)]
    running = [_start(name, tmp_path / f"{name}.npz", None) for name in ("none", "mirrored")]
    for index in range(2):
        task = {"type": "worker", "index": index}
        config = {"cluster": {"worker": workers}, "task": task}
        running.append(_start("multiworker", tmp_path / "multiworker.npz", config))
    try:
        for one in running:
            _, printed = one.communicate(timeout=_PATIENCE_S)
            assert one.returncode == 0, printed.decode("utf-8", "replace")[-2000:]
    finally:
        for one in running:
            one.kill()
    alone = np.load(tmp_path / "none.npz")
    assert alone["losses"][-1] < 0.7 * alone["losses"][0]
    for strategy in ("multiworker", "mirrored"):
        shared = np.load(tmp_path / f"{strategy}.npz")
        # Sums in another order round otherwise; more than that would be another training.
        np.testing.assert_allclose(shared["losses"], alone["losses"], rtol=1e-4)
        for name in alone.files:
            np.testing.assert_allclose(shared[name], alone[name], rtol=1e-2, atol=1e-3)


@pytest.mark.needs_tensorflow
@pytest.mark.parametrize(
    ("config", "said"),
    [
        ("", "TF_CONFIG is not set"),
        ("{", "TF_CONFIG makes no sense"),
        ('{"cluster": {"worker": ["a:1"]}, "task": {"type": "worker", "index": 3}}', "3 of 1"),
    ],
)
def test_a_cluster_that_is_none_is_refused(
    config: str, said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TF_CONFIG", config)
    run_options = RunOptions(strategy="multiworker")
    with pytest.raises(ConfigError, match=said) as caught:
        train.train("gesture", None, tmp_path / "out", Options(), lambda _: None, run_options)
    assert "TF_CONFIG='{" in caught.value.hint


def test_qat_is_for_one_machine(tmp_path: Path) -> None:
    run_options = RunOptions(strategy="mirrored")
    with pytest.raises(ConfigError, match="--qat cannot be combined with --strategy mirrored"):
        train.train(
            "gesture", None, tmp_path / "out", Options(qat=True), lambda _: None, run_options
        )
