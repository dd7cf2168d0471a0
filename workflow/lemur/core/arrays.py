"""Arrays as files that are whole or not there."""

from pathlib import Path

import numpy as np

from lemur.core.files import replacing


def save_array(path: Path | str, array: np.ndarray) -> None:
    """Write ``path`` (npy). ``np.save`` tells a full disk from no other error; this raises ENOSPC."""
    array = np.ascontiguousarray(array)
    with replacing(path) as temporary, temporary.open("wb") as file:
        header = np.lib.format.header_data_from_array_1_0(array)
        np.lib.format.write_array_header_1_0(file, header)
        # Structured arrays have no buffer format of their own that a memoryview could be cast from.
        if array.size:
            file.write(array.reshape(-1).view(np.uint8).data)
