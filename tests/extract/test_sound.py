"""Log-mel patches against the definition, written slowly; and the sound track in its right place."""

from __future__ import annotations

import cmath
import math
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from compress.extract.frames import decode
from compress.extract.pictures import Preprocessing
from compress.extract.sound import (
    PATCH_ROWS,
    RATE,
    decode_sound,
    log_mel,
    mel_bands,
    patches,
    seconds_needed,
)
from tests.extract import clips


def slow_row(samples: list[float]) -> list[float]:
    """The 64 numbers of one window of 400 samples, by the definition: no FFT, no matrix."""
    windowed = [x * (0.5 - 0.5 * math.cos(2 * math.pi * n / 400)) for n, x in enumerate(samples)]
    turns = [cmath.exp(-2j * math.pi * n / 512) for n in range(512)]
    sizes = [abs(sum(x * turns[k * n % 512] for n, x in enumerate(windowed))) for k in range(257)]

    def mel(hertz: float) -> float:
        return 1127.0 * math.log(1 + hertz / 700.0)

    step = (mel(7500) - mel(125)) / 65
    row = []
    for band in range(64):
        lower, centre, upper = (mel(125) + step * (band + shift) for shift in range(3))
        total = 0.0
        for k in range(1, 257):
            at = mel(k * 16000 / 512)
            total += (
                max(0.0, min((at - lower) / (centre - lower), (upper - at) / (upper - centre))) * sizes[k]
            )
        row.append(math.log(total + 0.01))
    return row


def test_the_spectrogram_is_the_definition():
    samples = np.random.default_rng(0).normal(0, 0.1, 2000).astype(np.float32)

    found = log_mel(samples)

    assert found.shape == (11, 64)
    for row in (0, 7, 10):
        np.testing.assert_allclose(found[row], slow_row(samples[160 * row :][:400].tolist()), atol=1e-5)


def test_silence_and_a_tone():
    assert np.allclose(log_mel(np.zeros(1600, np.float32)), math.log(0.01))
    tone = np.sin(2 * np.pi * 1000 * np.arange(1600) / RATE).astype(np.float32)
    loudest = int(log_mel(tone)[3].argmax())
    assert abs((mel_bands()[:, loudest].argmax() * RATE / 512) - 1000) < 60


@pytest.mark.parametrize("fps", [Fraction(1), Fraction(2), Fraction(1, 3), Fraction(25)])
def test_a_patch_begins_at_each_moment(fps: Fraction):
    samples = np.random.default_rng(1).normal(0, 0.1, 10 * RATE).astype(np.float32)

    found = patches(samples, 4, fps)

    assert found.shape == (4, PATCH_ROWS, 64)
    for moment in range(4):
        start = round(float(moment / fps) * 100) * 160
        alone = log_mel(samples[start : start + (PATCH_ROWS - 1) * 160 + 400])
        np.testing.assert_array_equal(found[moment][: len(alone)], alone)


def test_beyond_the_end_it_is_silent():
    found = patches(np.ones(RATE // 2, np.float32), 3, Fraction(1))

    assert np.allclose(found[1:], math.log(0.01))


def test_the_track_of_a_file_is_mono_at_16_khz(tmp_path: Path):
    path = clips.clip(tmp_path / "a.mp4", frames=30, tone=1000)

    heard = decode_sound(path, Fraction(0), seconds_needed(3, Fraction(1)))

    assert heard is not None
    assert heard.damage == ""
    samples = heard.samples
    assert abs(len(samples) - 2.975 * RATE) < 2
    spectrum = np.abs(np.fft.rfft(samples[RATE : 2 * RATE]))
    assert abs(int(spectrum.argmax()) - 1000) <= 1
    assert 0.4 < np.abs(samples[RATE : 2 * RATE]).max() < 0.6


def test_it_begins_with_the_film(tmp_path: Path):
    """The film begins a second after the track: its first second is not heard."""
    path = clips.clip(tmp_path / "a.mkv", times=range(1000, 3000, 100), tone=500)

    whole = decode_sound(path, Fraction(0), 1.9)
    later = decode_sound(path, Fraction(1), 0.9)
    early = decode_sound(path, Fraction(-1), 2.0)

    assert whole is not None
    assert later is not None
    assert early is not None
    np.testing.assert_array_equal(later.samples, whole.samples[RATE : RATE + len(later.samples)])
    np.testing.assert_array_equal(early.samples[:RATE], 0)
    np.testing.assert_array_equal(early.samples[RATE:], whole.samples[: len(early.samples) - RATE])


def test_a_film_without_sound_has_none(tmp_path: Path):
    assert decode_sound(clips.clip(tmp_path / "a.mp4"), Fraction(0), 1.0) is None


def test_damage_of_the_sound_alone_is_noticed(tmp_path: Path):
    """Its pictures are whole, so nothing else would say it."""
    path = clips.clip(tmp_path / "a.mkv", frames=60, tone=1000)
    with av.open(str(path)) as file:
        packets = [packet for packet in file.demux(audio=0) if packet.size]
        late = [bytes(packet) for packet in packets if packet.pts * packet.time_base > 3]
    content = path.read_bytes()
    for packet in late:
        assert content.count(packet) == 1
        content = content.replace(packet, b"\xff" * len(packet))
    path.write_bytes(content)

    heard = decode_sound(path, Fraction(0), 5.0)

    assert heard is not None
    assert heard.damage.startswith("its sound is damaged after 3.")
    assert np.abs(heard.samples[RATE : 2 * RATE]).max() > 0.4
    assert not heard.samples[4 * RATE :].any()
    wanted = Preprocessing(32, 32, (0.0, 0.0, 0.0), (1.0, 1.0, 1.0), "bilinear")
    assert decode(path, wanted, fps=Fraction(1), max_frames=9).damage == ""
