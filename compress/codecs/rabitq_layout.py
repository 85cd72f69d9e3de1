"""The bytes of FAISS's RaBitQuantizer (1.13 to 1.15): levels and factors out of them, and into them.

    B = 1: signs, ceil(d / 8) | float32 add, scale
    B > 1: signs, ceil(d / 8) | float32 add, scale, error | rest, ceil(d (B - 1) / 8) | float32 add, scale

Bits are packed from the lowest up. The sign is the highest bit of a level, the rest the others.
"""

from __future__ import annotations

import numpy as np

# FAISS first compares the signs alone, give or take the error, and looks at the rest of the bits where that
# might be enough; an error that no number exceeds makes it look at the rest of all.
_ALWAYS = np.float32(1e30)


def from_faiss(codes: np.ndarray, dim: int, bits: int) -> tuple[np.ndarray, np.ndarray]:
    """(levels uint16 (n, dim), half distances of levels float32 (n,)) of `codes`, uint8 (n, ...)."""
    plane = (dim + 7) // 8
    signs = np.unpackbits(codes[:, :plane], axis=1, count=dim, bitorder="little").astype(np.uint16)
    if bits == 1:
        return signs, _floats(codes[:, plane:])[:, 1] / np.float32(np.sqrt(dim))
    packed = codes[:, plane + 12 : -8]
    rest = np.unpackbits(packed, axis=1, count=dim * (bits - 1), bitorder="little")
    weights = (1 << np.arange(bits - 1)).astype(np.uint16)
    levels = (rest.reshape(len(codes), dim, bits - 1) * weights).sum(axis=2, dtype=np.uint16)
    return levels | (signs << (bits - 1)), _floats(codes[:, -8:])[:, 1] / 2


def to_faiss(levels: np.ndarray, factors: np.ndarray, centre: np.ndarray, bits: int) -> np.ndarray:
    """Codes of FAISS, uint8 (n, ...), whose scores are the inner products with the decoded rows.

    FAISS adds what it knows about the row as it was before it was quantised; we do not keep that, so the
    added number is that of the decoded row itself.

    Args:
        levels: uint16 (n, dim).
        factors: float32 (n,), half distances of levels.
        centre: float32 (dim,), turned.
    """
    dim = levels.shape[1]
    signs = np.packbits(levels >> (bits - 1), axis=1, bitorder="little")
    offset = 2 * levels.astype(np.float64) + (1 - 2**bits)
    along = (offset @ centre.astype(np.float64)) * factors
    sign_scale = factors * np.float32(np.sqrt(dim))
    square = float(centre.astype(np.float64) @ centre)
    if bits == 1:
        return _bytes(signs, np.stack([-2 * along - square, sign_scale], axis=1))
    rest = (levels[:, :, None] >> np.arange(bits - 1).astype(np.uint16)) & 1
    packed = np.packbits(rest.reshape(len(levels), -1).astype(np.uint8), axis=1, bitorder="little")
    first = np.stack([-2 * along - square, sign_scale, np.full(len(levels), _ALWAYS)], axis=1)
    return _bytes(signs, first, packed, np.stack([along, 2 * factors], axis=1))


def _floats(codes: np.ndarray) -> np.ndarray:
    return np.ascontiguousarray(codes).view("<f4")


def _bytes(*parts: np.ndarray) -> np.ndarray:
    raw = [np.ascontiguousarray(p if p.dtype == np.uint8 else p.astype("<f4")).view(np.uint8) for p in parts]
    return np.concatenate(raw, axis=1)
