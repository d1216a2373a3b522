"""Labelled recordings of what a watched device just heard, kept where `train` reads them."""

from __future__ import annotations

import io
import time
import wave
from pathlib import Path

import numpy as np
import numpy.typing as npt

from tinyml import tasks
from tinyml.datasets.clips import Clip
from tinyml.device import DeviceInfo, SensorRecording
from tinyml.errors import ConfigError, DataError
from tinyml.features import FrontEnd
from tinyml.monitor import shelf
from tinyml.monitor.session import Session
from tinyml.monitor.shelf import RecordingNotes, Shelf

LEAST_S, MOST_S = 0.5, 60.0


class Keeper:
    """Keeps recordings of one session in `folder`; its methods may be called from any thread."""

    def __init__(self, session: Session, folder: Path, speaker: str) -> None:
        self._session = session
        self._folder = folder
        self._speaker = speaker

    def keep(self, label: str, seconds: float) -> str:
        """Keep the last `seconds` under `label`, trimmed as `capture` trims; say where.

        Raises ConfigError for a label that none can be called by, an impossible length or a model
        that no task records for, DataError where nothing was heard or it is of no use.
        """
        if not LEAST_S <= seconds <= MOST_S:
            raise ConfigError(
                f"{seconds:g} s cannot be recorded", f"{LEAST_S:g} to {MOST_S:g} seconds can"
            )
        heard = self._session.recent(seconds)
        info = self._session.info
        if heard is None or info is None:
            raise DataError(
                "what the board hears is not known here", "record it with: tinyml capture"
            )
        front_end, samples = heard
        return self._put(front_end, samples, info, label, source="the live page")

    def keep_clip(self, clip: Clip, front_end: FrontEnd, info: DeviceInfo) -> str:
        """Keep a clip that was played and not recognised as said; say where.

        Raises what `keep` raises, and ConfigError for a clip of which nobody knows what was said.
        """
        if clip.said is None:
            raise ConfigError(f"nobody says what {clip.name} is", "put it in a folder of its label")
        return self._put(front_end, clip.samples, info, clip.said, clip.name, trim=False)

    def wav(self, seconds: float) -> bytes:
        """Return the last `seconds` as a WAV file, to be played back; b"" for what is no sound."""
        heard = self._session.recent(min(max(seconds, LEAST_S), MOST_S))
        if heard is None or heard[1].ndim != 1 or heard[0].rate_hz < 4000:
            return b""
        front_end, samples = heard
        buffer = io.BytesIO()
        with wave.open(buffer, "wb") as file:
            file.setparams((1, 2, front_end.rate_hz, 0, "NONE", ""))
            file.writeframes(samples.astype("<i2").tobytes())
        return buffer.getvalue()

    def _put(
        self,
        front_end: FrontEnd,
        samples: npt.NDArray[np.int16],
        info: DeviceInfo,
        label: str,
        source: str,
        *,
        trim: bool = True,
    ) -> str:
        name = _task_of(info)
        capturing = tasks.load(name).capturing
        assert capturing is not None  # `_task_of` names no others
        files = Shelf(self._folder, capturing, label, self._speaker)
        length_s = len(samples) / front_end.rate_hz
        recording = SensorRecording(samples, front_end.rate_hz, 0, 0, 0, length_s)
        take = shelf.judge(recording, front_end, capturing, label, trim)
        if take.refused:
            raise DataError(f"it was not kept: {take.refused}", "say or do it again, then record")
        notes = RecordingNotes(
            task=name,
            label=label,
            speaker=self._speaker,
            board=info.board,
            sensor=info.sensor,
            firmware=f"tinyml {info.version}, {info.model}, runtime {info.runtime}",
            model_sha256=info.sha256,
            source=source,
            rate_hz=front_end.rate_hz,
            channels=front_end.channels,
            recorded=time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        )
        path = files.put(front_end, take.samples, shelf.described(notes, take))
        return f"{path} ({take.seconds:.1f} s)"


def _task_of(info: DeviceInfo) -> str:
    """Return the name of the task whose front end the device has and that records."""
    for name in tasks.names():
        task = tasks.load(name)
        if task.features.name == info.features and task.capturing is not None:
            return name
    raise ConfigError(
        f"no task records for the front end {info.features!r}", "see: tinyml capture --help"
    )
