"""Hexadecimal digests as numbers of 64 bits, which ranks can send each other."""

BYTES = 8


def numbers(digest: str) -> list[int]:
    """A digest, of a multiple of 16 hexadecimal digits, as signed numbers."""
    data = bytes.fromhex(digest)
    return [
        int.from_bytes(data[at : at + BYTES], "big", signed=True)
        for at in range(0, len(data), BYTES)
    ]


def from_numbers(sent: list[int]) -> str:
    """What ``numbers`` was given."""
    return b"".join(number.to_bytes(BYTES, "big", signed=True) for number in sent).hex()
