"""Base 85: bytes as text that may stand in HTML; a quarter longer, where Base64 makes it a third."""

import base64

import numpy as np
from numpy.typing import NDArray

ALPHABET = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz!#$%&()*+-;,=>?@^_`{|}~"
"""That of RFC 1924, but for a comma in the place of `<`: no text can end an element."""

_LETTERS = np.frombuffer(ALPHABET, np.uint8)


def encode_base85(data: bytes) -> bytes:
    """Return bytes as text: ASCII, five letters for four bytes; of the last group as many as it takes."""
    lacking = -len(data) % 4
    words: NDArray[np.uint32] = np.frombuffer(data + bytes(lacking), ">u4").astype(np.uint32)
    letters = np.empty((len(words), 5), np.uint8)
    for place in range(4, -1, -1):
        rest = words // 85
        letters[:, place] = _LETTERS[words - rest * 85]
        words = rest
    text = letters.tobytes()
    return text[: len(text) - lacking]


def decode_base85(text: bytes) -> bytes:
    """Return the bytes that `encode_base85` made text of."""
    return base64.b85decode(text.replace(b",", b"<"))
