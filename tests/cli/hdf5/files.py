"""How the files here were made: files.py FOLDER, with h5py 3.7 and HDF5 1.10.8. None is a model."""

import os
import sys
import zlib

import h5py
import numpy as np
from h5py import h5d, h5p, h5s, h5t

os.chdir(sys.argv[1])


def unfolding(name, chunk, columns=1):
    """Floats (1, columns) in one chunk of (1, chunk) zeros, which is deflated three times."""
    data = bytes(4 * chunk)
    for _ in range(3):
        data = zlib.compress(data, 9)
    with h5py.File(name, "w") as file:
        tensor = file.create_group("tensors/w")
        properties = h5p.create(h5p.DATASET_CREATE)
        properties.set_chunk((1, chunk))
        for _ in range(3):
            properties.set_deflate(9)
        space = h5s.create_simple((1, columns), (1, h5s.UNLIMITED))
        dataset = h5d.create(tensor.id, b"values", h5t.IEEE_F32LE, space, properties)
        dataset.write_direct_chunk((0, 0), data)


def damaged(name, offset, byte):
    """Offset and byte were found at random."""
    with h5py.File(name, "w") as file:
        file.attrs["format"] = "ltz-checkpoint"
        file.attrs["version"] = 1
        file.attrs["config"] = "{}"
        file["vocabulary/source"] = ["a", "b"]
        file["vocabulary/target"] = ["a", "b"]
        file["merges"] = ["a b"]
        for i in range(3):
            tensor = file.create_group(f"tensors/t{i}")
            tensor.attrs["shape"] = [2, 3]
            tensor.attrs["encoding"] = "float32"
            tensor.create_dataset("values", data=np.zeros((2, 3), "f4"), chunks=(1, 3), compression="gzip")
    with open(name, "r+b") as file:
        file.seek(offset)
        file.write(bytes([byte]))


unfolding("needs_memory.h5", 1 << 29)  # 2 GiB for one number
unfolding("unfolds.h5", 1 << 25, 1 << 25)  # 128 MiB of numbers
damaged("crashes.h5", 2057, 17)
damaged("hangs.h5", 2296, 255)
