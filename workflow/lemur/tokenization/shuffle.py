"""A seeded order of n things, computed one position at a time.

Up to 65,536 things are sorted by a hash of their number. More go through a Feistel network on the
next power of four with cycle walking: a bijection of 0..n-1 that needs no memory, so the order of
44 million sequences costs nothing to resume in the middle (on few things it shuffles badly). The
arithmetic is written out here because numpy does not promise that its generators' streams stay
the same from one version to the next (NEP 19), and a run resumed after an upgrade must not see
other data.
"""

import functools

import numpy as np

ROUNDS = 6
SORTED = 1 << 16  # sizes up to this are sorted
_MASK = (1 << 64) - 1


def _mix(value: np.ndarray) -> np.ndarray:
    """splitmix64's finaliser (Steele, Lea and Flood 2014), elementwise on uint64."""
    value = (value ^ (value >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    value = (value ^ (value >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return value ^ (value >> np.uint64(31))


def _keys(seed: int, stream: int) -> list[np.uint64]:
    with np.errstate(over="ignore"):
        state = _mix(np.array([(seed * 0x9E3779B97F4A7C15 + 1) & _MASK], np.uint64))
        state = _mix(state ^ np.uint64((stream * 0xD1B54A32D192ED03 + 2) & _MASK))
        keys = []
        for _ in range(ROUNDS):
            state = _mix(state + np.uint64(0x9E3779B97F4A7C15))
            keys.append(np.uint64(state[0]))
    return keys


@functools.lru_cache(maxsize=8)
def _sorted(size: int, seed: int, stream: int) -> np.ndarray:
    key = _keys(seed, stream)[-1]
    with np.errstate(over="ignore"):
        hashed = _mix(_mix(np.arange(size, dtype=np.uint64) + key) ^ key)
    return np.argsort(hashed, kind="stable")


def permute(positions: np.ndarray, size: int, seed: int, stream: int = 0) -> np.ndarray:
    """Where each of ``positions`` (0 <= p < size) goes in the order named by (seed, stream).

    For one (size, seed, stream) this is a bijection of 0..size-1; int64 in, int64 out.
    """
    positions = np.asarray(positions, np.int64)
    if size <= 0 or (positions.size and not (positions.min() >= 0 and positions.max() < size)):
        raise ValueError(f"positions must lie in 0..{size - 1}")
    if size <= SORTED:
        return _sorted(size, seed, stream)[positions]
    half = max(1, ((size - 1).bit_length() + 1) // 2)
    low = np.uint64((1 << half) - 1)
    shift = np.uint64(half)
    keys = _keys(seed, stream)
    moved = positions.astype(np.uint64)
    outside = np.ones(moved.shape, bool)
    with np.errstate(over="ignore"):
        while outside.any():
            left, right = moved[outside] >> shift, moved[outside] & low
            for key in keys:
                left, right = right, left ^ (_mix(right + key) & low)
            moved[outside] = (left << shift) | right
            outside = moved >= np.uint64(size)
    return moved.astype(np.int64)


def order(size: int, seed: int, stream: int = 0) -> np.ndarray:
    """The whole order: int64[size], every number of 0..size-1 once."""
    return permute(np.arange(size), size, seed, stream) if size else np.zeros(0, np.int64)
