"""RaBitQ (randomised bit quantisation): B bits per dimension after a random rotation, one factor per video.

Source: Gao, Long, "RaBitQ", SIGMOD 2024, and for more bits Gao et al., "Practical and Asymptotically Optimal
Quantization of High-Dimensional Vectors", SIGMOD 2025. FAISS chooses the bits; of its factors (8 bytes, 20
with more than one bit) only the one that decoding needs is stored.
"""

from __future__ import annotations

from typing import Self

import numpy as np

from compress import faiss_engine
from compress.codecs.base import Codec, State, finite_rows
from compress.codecs.binary import BITS
from compress.codecs.centroids import SEED
from compress.codecs.exact_product import Rotation
from compress.codecs.names import Family
from compress.codecs.scoring import Lookup
from compress.progress import uninterrupted

_FACTOR_BYTES = 4
# Larger values might overflow the float32 factor of a row.
_LARGEST = np.float32(2.0**100)


class RaBitQ(Codec):
    """Levels 0 to 2**B - 1, symmetric about the centre and evenly spaced, with a spacing per video.

    A code is B planes of ceil(dim / 8) bytes (plane b has bit b of each level, dimension i in bit i % 8 of
    byte i // 8), then the factor, float32: half the distance between two levels. A row decodes to
    centre + rotation (2 level + 1 - 2**B) factor.

    Args:
        bits: B, 1 to 9.
        centre: f32 (dim,).
        rotation: f32 (dim, dim), orthogonal; rows less the centre are multiplied by it from the right.
    """

    family = Family("rabitq", "B", "bits per dimension", most=9, default=1)

    def __init__(self, bits: int, centre: np.ndarray, rotation: np.ndarray) -> None:
        super().__init__(len(centre), bits)
        self.bits, self.centre, self.rotation = bits, centre.astype("<f4"), Rotation(rotation)
        self.plane_bytes = (self.dim + 7) // 8

    @classmethod
    def width_of(cls, dim: int, number: int) -> int:
        return number * ((dim + 7) // 8) + _FACTOR_BYTES

    @classmethod
    def _fit(cls, number: int, sample: np.ndarray) -> Self:
        """The centre is the mean of the sample; the rotation is random, always the same for a given dim."""
        normal = np.random.default_rng(SEED).standard_normal((sample.shape[1],) * 2)
        with faiss_engine.repeatable():
            rotation = uninterrupted(lambda: np.linalg.qr(normal))[0]
        return cls(number, sample.mean(axis=0, dtype=np.float64), rotation)

    @classmethod
    def _state_shapes(cls, dim: int, number: int) -> dict[str, tuple[int, ...]]:
        return {"centre": (dim,), "rotation": (dim, dim)}

    @classmethod
    def _restore(cls, dim: int, number: int, state: State) -> Self:
        return cls(number, state["centre"], state["rotation"])

    def representable(self, embedding: np.ndarray) -> np.ndarray:
        return finite_rows(embedding) & (np.abs(embedding) < _LARGEST).all(axis=1)

    def _encode(self, embedding: np.ndarray) -> np.ndarray:
        turned = self.rotation.there(embedding.astype(np.float64) - self.centre)
        # Scaled by a power of two, so that float32 squares inside FAISS neither overflow nor underflow.
        exponents = np.frexp(np.abs(turned).max(axis=1, initial=0.0))[1]
        turned = np.ldexp(turned, -exponents[:, None]).astype(np.float32)
        module = faiss_engine.faiss()
        quantiser = module.RaBitQuantizer(self.dim, module.METRIC_INNER_PRODUCT, self.bits)
        levels, factors = _from_faiss(quantiser.compute_codes(turned), self.dim, self.bits)
        return self._join(levels, np.ldexp(factors, exponents).astype("<f4"))

    def _decode(self, codes: np.ndarray) -> np.ndarray:
        levels, factors = self.levels(codes), self.factors(codes)
        turned = (2 * levels.astype(np.float32) + np.float32(1 - 2**self.bits)) * factors[:, None]
        return (self.rotation.back(turned) + self.centre).astype(np.float32)

    def levels(self, codes: np.ndarray) -> np.ndarray:
        """Uint16 (n, dim) in [0, 2**B), of `codes`, uint8 (n, width)."""
        levels = np.zeros((len(codes), self.dim), np.uint16)
        for bit in range(self.bits):
            plane = codes[:, bit * self.plane_bytes : (bit + 1) * self.plane_bytes]
            bits = np.unpackbits(plane, axis=1, count=self.dim, bitorder="little")
            levels |= bits.astype(np.uint16) << bit
        return levels

    def factors(self, codes: np.ndarray) -> np.ndarray:
        """Float32 (n,), of `codes`, uint8 (n, width)."""
        return np.ascontiguousarray(codes[:, -_FACTOR_BYTES:]).view("<f4")[:, 0]

    def state(self) -> dict[str, np.ndarray]:
        return {"centre": self.centre, "rotation": self.rotation.matrix}

    def scoring(self, queries: np.ndarray) -> Lookup:
        """The bytes of the planes are looked up; the factor of each row, stored behind them, is the scale."""
        turned = np.zeros((len(queries), 8 * self.plane_bytes), np.float32)
        turned[:, : self.dim] = self.rotation.there(queries)
        grouped = turned.reshape(len(queries), self.plane_bytes, 8)
        # 2 level + 1 - 2**B is the sum over the planes of 2**b (2 bit - 1).
        signed = grouped @ (2 * BITS.T.astype(np.float32) - 1)
        tables = np.concatenate([signed * np.float32(2**bit) for bit in range(self.bits)], axis=1)
        return Lookup(tables, (queries.astype(np.float64) @ self.centre).astype(np.float32), self.factors)

    def _join(self, levels: np.ndarray, factors: np.ndarray) -> np.ndarray:
        planes = [np.packbits((levels >> bit) & 1, axis=1, bitorder="little") for bit in range(self.bits)]
        return np.concatenate([*planes, factors[:, None].view(np.uint8)], axis=1)


def _from_faiss(codes: np.ndarray, dim: int, bits: int) -> tuple[np.ndarray, np.ndarray]:
    """(levels uint16 (n, dim), half distances of levels float32 (n,)) of `codes`, uint8 (n, ...).

    These are the bytes of FAISS's RaBitQuantizer (1.13 to 1.15). Bits are packed from the lowest up; the sign
    is the highest bit of a level, the rest the others:

        B = 1: signs, ceil(d / 8) | float32 add, scale
        B > 1: signs, ceil(d / 8) | float32 add, scale, error | rest, ceil(d (B - 1) / 8) | float32 add, scale
    """
    plane = (dim + 7) // 8
    signs = np.unpackbits(codes[:, :plane], axis=1, count=dim, bitorder="little").astype(np.uint16)
    if bits == 1:
        return signs, _floats(codes[:, plane:])[:, 1] / np.float32(np.sqrt(dim))
    packed = codes[:, plane + 12 : -8]
    rest = np.unpackbits(packed, axis=1, count=dim * (bits - 1), bitorder="little")
    weights = (1 << np.arange(bits - 1)).astype(np.uint16)
    levels = (rest.reshape(len(codes), dim, bits - 1) * weights).sum(axis=2, dtype=np.uint16)
    return levels | (signs << (bits - 1)), _floats(codes[:, -8:])[:, 1] / 2


def _floats(codes: np.ndarray) -> np.ndarray:
    return np.ascontiguousarray(codes).view("<f4")
