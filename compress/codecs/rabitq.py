"""RaBitQ: B bits a dimension of the randomly turned embedding, and one factor a video.

Source: Gao, Long, "RaBitQ", SIGMOD 2024, and for more bits Gao et al., "Practical and Asymptotically Optimal
Quantization of High-Dimensional Vectors", SIGMOD 2025. FAISS chooses the bits; of its factors (8 bytes, 20
with more than one bit) only the one that decoding needs is stored.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from compress import faiss_engine
from compress.codecs.base import finite_rows, refuse_sample, refuse_state, refuse_unrepresentable
from compress.codecs.exact_product import ExactMatrix
from compress.codecs.rabitq_layout import from_faiss, to_faiss
from compress.codecs.rotated_product import refuse_crooked
from compress.codecs.training import SEED, repeatable

FACTOR_BYTES = 4
# Above, the factor of a row might not be a float32.
_LARGEST = np.float32(2.0**100)


class RaBitQ:
    """Levels 0 to 2**B - 1, evenly spaced and symmetric about the centre, at a distance of each video's own.

    A code is B planes of ceil(dim / 8) bytes (plane b has bit b of each level, dimension i in bit i % 8 of
    byte i // 8), then the factor, float32: half the distance between two levels. A row decodes to
    centre + rotation (2 level + 1 - 2**B) factor.

    Args:
        bits: B, 1 to 9.
        centre: f32 (dim,).
        rotation: f32 (dim, dim), orthogonal; rows less the centre are multiplied by it from the right.
    """

    dtype = np.dtype("u1")

    def __init__(self, bits: int, centre: np.ndarray, rotation: np.ndarray) -> None:
        self.name, self.bits = "rabitq" if bits == 1 else f"rabitq{bits}", bits
        self.centre, self.rotation = centre.astype("<f4"), np.ascontiguousarray(rotation, "<f4")
        self.dim = len(centre)
        self.plane_bytes = (self.dim + 7) // 8
        self.width = bits * self.plane_bytes + FACTOR_BYTES
        self._there, self._back = ExactMatrix(self.rotation), ExactMatrix(self.rotation.T)

    @classmethod
    def calibrate(cls, bits: int, sample: np.ndarray) -> RaBitQ:
        """The codec for embeddings like `sample`, f32 (m, dim); DataError when it is empty or not finite.

        The centre is the mean of the sample; the turn is random, and the same for the same dimensions.
        """
        refuse_sample("rabitq", sample)
        normal = np.random.default_rng(SEED).standard_normal((sample.shape[1],) * 2)
        with repeatable():
            rotation = np.linalg.qr(normal)[0]
        return cls(bits, sample.mean(axis=0, dtype=np.float64), rotation)

    @classmethod
    def restore(cls, bits: int, dim: int, state: dict[str, np.ndarray]) -> RaBitQ:
        """The codec whose `state()` this is; DataError when it is not one."""
        refuse_state("rabitq", state, {"centre": (dim,), "rotation": (dim, dim)})
        refuse_crooked("rabitq", state["rotation"])
        return cls(bits, state["centre"], state["rotation"])

    @property
    def bytes_per_video(self) -> int:
        return self.width

    def representable(self, embedding: np.ndarray) -> np.ndarray:
        return finite_rows(embedding) & (np.abs(embedding) < _LARGEST).all(axis=1)

    def encode(self, embedding: np.ndarray) -> np.ndarray:
        refuse_unrepresentable(self, embedding)
        turned = self._there.product(embedding.astype(np.float64) - self.centre)
        # By a power of two, so that the float32 squares inside FAISS neither overflow nor vanish.
        exponents = np.frexp(np.abs(turned).max(axis=1, initial=0.0))[1]
        turned = np.ldexp(turned, -exponents[:, None]).astype(np.float32)
        module = faiss_engine.faiss()
        quantiser = module.RaBitQuantizer(self.dim, module.METRIC_INNER_PRODUCT, self.bits)
        levels, factors = from_faiss(quantiser.compute_codes(turned), self.dim, self.bits)
        return self._join(levels, np.ldexp(factors, exponents).astype("<f4"))

    def decode(self, codes: np.ndarray) -> np.ndarray:
        levels, factors = self.levels(codes), self.factors(codes)
        turned = (2 * levels.astype(np.float32) + np.float32(1 - 2**self.bits)) * factors[:, None]
        return (self._back.product(turned) + self.centre).astype(np.float32)

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
        return np.ascontiguousarray(codes[:, -FACTOR_BYTES:]).view("<f4")[:, 0]

    def state(self) -> dict[str, np.ndarray]:
        return {"centre": self.centre, "rotation": self.rotation}

    def plane_tables(self, queries: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """For a search on codes: (tables, offsets).

        The inner product of query `i` and the decoded row of `code` is, within float32 rounding,
        `offsets[i]` + factor times the sum over the bytes `b` of the planes of `tables[i, b, code[b]]`.

        Args:
            queries: float32 (q, dim).

        Returns:
            tables float32 (q, B ceil(dim / 8), 256), offsets float32 (q,).
        """
        turned = np.zeros((len(queries), 8 * self.plane_bytes), np.float32)
        turned[:, : self.dim] = self._there.product(queries)
        grouped = turned.reshape(len(queries), self.plane_bytes, 8)
        values = np.unpackbits(np.arange(256, dtype=np.uint8)[:, None], axis=1, bitorder="little")
        # 2 level + 1 - 2**B is the sum over the planes of 2**b (2 bit - 1).
        signed = grouped @ (2 * values.T.astype(np.float32) - 1)
        tables = np.concatenate([signed * np.float32(2**bit) for bit in range(self.bits)], axis=1)
        return tables, (queries.astype(np.float64) @ self.centre).astype(np.float32)

    def code_index(self, codes: np.ndarray, metric: str) -> Any:
        if metric != "ip":
            return None
        module = faiss_engine.faiss()
        index = module.IndexRaBitQ(self.dim, module.METRIC_INNER_PRODUCT, self.bits)
        centre = self._there.product(self.centre[None])[0].astype(np.float32)
        module.copy_array_to_vector(centre, index.center)
        index.qb = 0  # The query stays in float32.
        index.is_trained = True
        index.add_sa_codes(to_faiss(self.levels(codes), self.factors(codes), centre, self.bits))
        turn = module.LinearTransform(self.dim, self.dim, False)
        module.copy_array_to_vector(self.rotation.T.ravel(), turn.A)
        turn.is_trained = True
        return module.IndexPreTransform(turn, index)

    def _join(self, levels: np.ndarray, factors: np.ndarray) -> np.ndarray:
        planes = [np.packbits((levels >> bit) & 1, axis=1, bitorder="little") for bit in range(self.bits)]
        return np.concatenate([*planes, factors[:, None].view(np.uint8)], axis=1)
