#!/usr/bin/env python3
"""Reads, prunes and writes a model's weights with h5py. What it writes goes on with `ltz pack`, `ltz translate` and all
others. Any model becomes a .h5 file with `ltz convert MODEL MODEL.h5`.

    weights.py read MODEL.h5 WEIGHTS.npz           # all tensors as float32, for numpy
    weights.py prune MODEL.h5 SPARSITY OUT.h5      # sets the smallest weights of every matrix to zero
    weights.py write MODEL.h5 WEIGHTS.npz OUT.h5   # the model with these tensors

Needs python3-h5py. formats/hdf5/HDF5.md says what is in the file.
"""

import shutil
import sys

import h5py
import numpy as np


def encoding(tensor):
    text = tensor.attrs["encoding"]  # bytes from ltz, str from h5py
    return text.decode() if isinstance(text, bytes) else text


def floats(tensor):
    """The elements of a group in /tensors, in whatever encoding they are."""
    if encoding(tensor) == "codebook":
        codes = tensor["codes"][()]
        values = tensor["codebook"][()][codes]
        if "row_scales" in tensor:
            scales = np.exp2((tensor["row_scales"][()] - 128.0) / 8).astype("float32")
            values = (values.reshape(len(scales), -1) * scales[:, None]).reshape(codes.shape)
        return values
    values = tensor["values"][()]
    if encoding(tensor) == "bfloat16":
        return (values.astype("uint32") << 16).view("float32")
    return values.astype("float32")


def replace(tensor, values):
    """Makes the elements float32. There is no mask: ltz takes the zeros for it."""
    for part in list(tensor):
        del tensor[part]
    tensor.attrs["encoding"] = "float32"
    tensor.create_dataset("values", data=values, compression="gzip", shuffle=True)


def read(model, weights):
    with h5py.File(model) as file:
        tensors = {name: floats(tensor) for name, tensor in file["tensors"].items()}
    np.savez(weights, **tensors)
    for name, values in tensors.items():
        print(f"{name} {values.shape} {np.mean(values == 0):.1%} zeros")


def prune(model, sparsity, out):
    shutil.copyfile(model, out)
    with h5py.File(out, "r+") as file:
        for tensor in file["tensors"].values():
            values = floats(tensor)
            if values.ndim > 1:
                count = int(values.size * float(sparsity))
                smallest = np.argsort(np.abs(values), axis=None, kind="stable")[:count]
                values.flat[smallest] = 0
                replace(tensor, values)


def write(model, weights, out):
    shutil.copyfile(model, out)
    with h5py.File(out, "r+") as file, np.load(weights) as tensors:
        for name, values in tensors.items():
            replace(file["tensors"][name], values)


commands = {"read": (read, 2), "prune": (prune, 3), "write": (write, 3)}
command, count = commands.get(sys.argv[1] if len(sys.argv) > 1 else "", (None, 0))
if command is None or len(sys.argv) != count + 2:
    sys.exit(__doc__)
command(*sys.argv[2:])
