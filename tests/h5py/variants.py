"""variants.py MODEL.h5 FOLDER: the model once more in every way that h5py and h5repack have of writing it. Prints a line
"NAME KIND" for each file FOLDER/NAME.h5. KIND "same": the same numbers; "edited": what FOLDER/edited.h5 has, too."""

import os
import shutil
import subprocess
import sys

import h5py
import numpy as np

model, folder = sys.argv[1:]
TEXT = h5py.string_dtype()
PARTS = ("values", "codebook", "codes", "row_scales", "mask")
with h5py.File(model) as file:
    VERSION = int(file.attrs["version"])
    # A language model has no source.
    WORDS = [place for place in ("vocabulary/source", "vocabulary/target") if place in file]


def report(name, kind="same"):
    print(name, kind)


def path(name):
    return os.path.join(folder, name + ".h5")


# A model made anew, object by object.


def same_array(name, array):
    return array


def write(name, file={}, group={}, dataset={}, array=same_array, text=str, words=list, shape=tuple, mask=True, version=VERSION):
    """file, group, dataset: options of h5py.File, create_group, create_dataset. array(PART, numbers), text(attribute),
    words(list), shape(tuple): what to write in their place. mask: whether to write it."""
    with h5py.File(model) as old, h5py.File(path(name), "w", **file) as new:
        new.attrs["format"] = text("ltz-checkpoint")
        new.attrs["version"] = version
        new.attrs["config"] = text(old.attrs["config"].decode())

        def write_words(place):
            lines = [line.decode() for line in old[place][()]]
            # Pointers to strings take few filters, and what is empty is in one piece.
            options = {name: dataset[name] for name in dataset if name not in ("shuffle", "fletcher32")}
            new.create_dataset(place, data=words(lines), **(options if lines else {}))

        for place in [*WORDS, "merges"]:
            write_words(place)
        tensors = new.create_group("tensors", **group)
        for tensor, source in old["tensors"].items():
            copy = tensors.create_group(tensor, **group)
            copy.attrs["shape"] = shape(source.attrs["shape"])
            copy.attrs["encoding"] = text(source.attrs["encoding"].decode())
            for part in PARTS:
                if part in source and (mask or part != "mask"):
                    copy.create_dataset(part, data=array(part, source[part][()]), **dataset)
    report(name)


def of_kind(kind, change):
    """Changes arrays of numpy's kind."""
    return lambda part, numbers: change(numbers) if numbers.dtype.kind == kind else numbers


def as_type(kind, dtype):
    return of_kind(kind, lambda numbers: numbers.astype(dtype))


write("plain")
for bounds in ("earliest", "v108", "v110", "latest", ("earliest", "v108"), ("v108", "v110")):
    write("libver_" + ("_".join(bounds) if isinstance(bounds, tuple) else bounds), file={"libver": bounds})
    write("gzip_" + ("_".join(bounds) if isinstance(bounds, tuple) else bounds), file={"libver": bounds}, dataset={"compression": "gzip", "shuffle": True, "fletcher32": True})
    write("resizable_" + ("_".join(bounds) if isinstance(bounds, tuple) else bounds), file={"libver": bounds}, dataset={"maxshape": None, "chunks": True})
write("chunked", dataset={"chunks": True})
write("gzip9", dataset={"compression": 9})
write("lzf", dataset={"compression": "lzf"})
write("shuffle", dataset={"compression": "gzip", "shuffle": True})
write("fletcher32", dataset={"fletcher32": True})
write("track_order", file={"track_order": True}, group={"track_order": True})
write("track_order_latest", file={"track_order": True, "libver": "latest"}, group={"track_order": True})
write("track_times", dataset={"track_times": True})
write("userblock", file={"userblock_size": 512})
write("userblock_latest", file={"userblock_size": 4096, "libver": "latest"})
write("pages", file={"fs_strategy": "page", "fs_persist": True, "libver": "latest"})

write("float64", array=as_type("f", "f8"))
write("float64_big_endian", array=as_type("f", ">f8"))
write("float32_big_endian", array=as_type("f", ">f4"))
write("float16_big_endian", array=lambda part, numbers: numbers.astype(">f2") if numbers.dtype == "f2" else numbers)
write("float16_where_exact", array=of_kind("f", lambda numbers: min(numbers.astype("f2"), numbers, key=lambda n: (n != numbers).any())))
write("long_double", array=as_type("f", "g"))
for dtype in ("i8", ">i8", "i4", "u2", ">u2", "u8", "i2"):
    write("integers_" + dtype.replace(">", "big_"), array=as_type("u", dtype))
write("mask_of_truth", array=lambda part, numbers: numbers != 0 if part == "mask" else numbers)
write("without_mask", mask=False)
write("everything_wide", array=lambda part, numbers: numbers.astype("f8" if numbers.dtype.kind == "f" else "i8"), dataset={"compression": "gzip", "shuffle": True}, mask=False)

write("text_bytes", text=lambda text: np.bytes_(text))
write("text_array", text=lambda text: np.array([text], TEXT))
write("text_ascii_variable", text=lambda text: np.array(text, h5py.string_dtype("ascii")))
write("words_bytes", words=lambda words: np.array([w.encode() for w in words], h5py.string_dtype("utf-8", max(map(len, words), default=1) + 9)))
write("words_variable", words=lambda words: np.array([w.encode() for w in words], TEXT))
write("words_variable_bytes", words=lambda words: [w.encode() for w in words])
write("words_variable_gzip", words=lambda words: np.array(words, TEXT), dataset={"compression": "gzip"})
write("shape_int32", shape=lambda shape: np.array(shape, "i4"))
write("shape_big_endian", shape=lambda shape: np.array(shape, ">i8"))
write("shape_uint16", shape=lambda shape: np.array(shape, "u2"))
write("shape_of_vectors_scalar", shape=lambda shape: shape[0] if len(shape) == 1 else shape)
write("version_array", version=[VERSION])
write("version_int8", version=np.int8(VERSION))
write("version_big_endian", version=np.array(VERSION, ">u2"))


# A copy of the model that is changed in place.


def change(name, kind="same", libver=None):
    def decorate(function):
        shutil.copyfile(model, path(name))
        with h5py.File(path(name), "r+", libver=libver) as file:
            function(file)
        report(name, kind)

    return decorate


def replace(group, name, data, **options):
    del group[name]
    group.create_dataset(name, data=data, **options)


def dense_parts(file):
    for tensor in file["tensors"].values():
        yield tensor, "values" if "values" in tensor else "codebook"


@change("nothing_changed")
def _(file):
    pass


@change("many_attributes")
def _(file):
    for number in range(20):
        file.attrs[f"note{number}"] = "x" * number
        for tensor in file["tensors"].values():
            tensor.attrs[f"note{number}"] = number


@change("many_attributes_latest", libver="latest")
def _(file):
    for number in range(20):
        file.attrs[f"note{number}"] = np.arange(number)
        for tensor in file["tensors"].values():
            tensor.attrs[f"note{number}"] = h5py.Empty("f4")


@change("large_attribute", libver="latest")
def _(file):
    file.attrs["note"] = np.zeros(100000)


@change("more_objects")
def _(file):
    file["notes/today"] = "pruned by hand"
    file["notes"].attrs["who"] = "me"
    file.create_dataset("history", data=np.arange(1000), compression="gzip")
    for tensor in file["tensors"].values():
        tensor["gradients"] = np.zeros(3)
        tensor["next"] = h5py.SoftLink("/nowhere")


@change("external_link_elsewhere")
def _(file):
    file["elsewhere"] = h5py.ExternalLink("nowhere.h5", "/")


@change("replaced_datasets")
def _(file):
    for tensor, part in dense_parts(file):
        replace(tensor, part, tensor[part][()])


@change("replaced_with_gzip")
def _(file):
    for tensor, part in dense_parts(file):
        replace(tensor, part, tensor[part][()], compression="gzip", shuffle=True)


@change("scale_offset")
def _(file):
    for tensor in file["tensors"].values():
        for part in ("codes", "mask"):
            if part in tensor:
                replace(tensor, part, tensor[part][()], scaleoffset=True)


@change("one_chunked")
def _(file):
    tensor, part = next(dense_parts(file))
    replace(tensor, part, tensor[part][()].astype("f8"), chunks=True, maxshape=(None,) * tensor[part].ndim)


@change("deleted_masks")
def _(file):
    for tensor in file["tensors"].values():
        tensor.pop("mask", None)


@change("masks_everywhere")
def _(file):
    for tensor in file["tensors"].values():
        if "mask" not in tensor:
            tensor["mask"] = np.ones(tensor.attrs["shape"], bool)


@change("soft_links")
def _(file):
    file.move(WORDS[0], "words")
    file[WORDS[0]] = h5py.SoftLink("/words")
    file.move("tensors", "weights")
    file["tensors"] = h5py.SoftLink("weights")


@change("hard_links")
def _(file):
    for number, tensor in enumerate(file["tensors"].values()):
        file[f"parameter{number}"] = tensor


@change("named_types")
def _(file):
    file["float"] = np.dtype("f4")
    file["text"] = TEXT
    for tensor, part in dense_parts(file):
        values = tensor[part][()]
        if values.dtype == "f4":
            del tensor[part]
            tensor.create_dataset(part, data=values, dtype=file["float"])
    text = file.attrs["format"]
    file.attrs.create("format", text, dtype=file["text"])


@change("empty_merges")
def _(file):
    if not len(file["merges"]):
        replace(file, "merges", [])


@change("empty_dataspace")
def _(file):
    if not len(file["merges"]):
        replace(file, "merges", h5py.Empty(TEXT))


@change("moved")
def _(file):
    for tensor in list(file["tensors"]):
        file.move("tensors/" + tensor, "temporary")
        file.move("temporary", "tensors/" + tensor)


@change("attributes_written_again")
def _(file):
    for name, value in file.attrs.items():
        file.attrs[name] = value
    for tensor in file["tensors"].values():
        for name, value in tensor.attrs.items():
            tensor.attrs[name] = value


# The same change in several ways.


def edited(name, **options):
    def decorate(function):
        @change(name, "edited", **options)
        def _(file):
            for tensor, part in dense_parts(file):
                values = tensor[part][()]
                if values.dtype.kind == "f":
                    function(tensor, part, values)
            for tensor in file["tensors"].values():
                tensor.pop("mask", None)

    return decorate


@edited("edited")
def _(tensor, part, values):
    tensor[part][...] = values / 2


@edited("edited_elements")
def _(tensor, part, values):
    for index in np.ndindex(values.shape[:-1]):
        tensor[part][index] = values[index] / 2


@edited("edited_float64")
def _(tensor, part, values):
    replace(tensor, part, values.astype("f8") / 2, compression="gzip")


@edited("edited_never_written_but_filled", libver="latest")
def _(tensor, part, values):
    values = values / 2
    if values.size > 1:
        del tensor[part]
        new = tensor.create_dataset(part, values.shape, values.dtype, fillvalue=values.flat[0], chunks=True)
        flat = np.argwhere(values != values.flat[0])
        for index in flat[:1]:
            new[tuple(index)] = values[tuple(index)]
        new[...] = values
    else:
        tensor[part][...] = values


# h5repack.


def repack(name, *options, of=model):
    # It cannot make chunks of nothing.
    subprocess.run(["h5repack", "-m", "2", *options, of, path(name)], check=True, capture_output=True, timeout=60)
    report(name)


if shutil.which("h5repack"):
    repack("repack")
    repack("repack_latest", "--latest")
    for low in range(3):
        for high in range(max(low, 1), 3):
            repack(f"repack_{low}_{high}", f"--low={low}", f"--high={high}")
    repack("repack_gzip", "-f", "GZIP=9")
    repack("repack_gzip_latest", "-f", "GZIP=9", "--latest")
    repack("repack_shuffle", "-f", "SHUF", "-f", "GZIP=1")
    repack("repack_fletcher32", "-f", "FLET")
    repack("repack_szip", "-f", "SZIP=8,NN")
    repack("repack_chunks", "-l", "CHUNK=7x3")
    repack("repack_chunks_latest", "-l", "CHUNK=7x3", "--latest")
    repack("repack_compact", "-l", "COMPA")
    repack("repack_contiguous", "-l", "CONTI", of=path("gzip9"))
    repack("repack_plain", "-j", "1", "-k", "1", "-c", "65535", "-l", "CONTI", "-f", "NONE", of=path("gzip9"))
    repack("repack_native", "-n", of=path("integers_big_i8"))
    repack("repack_dense", "--latest", "-c", "2", "-d", "2")
    repack("repack_shared", "--latest", "-s", "8")
    repack("repack_pages", "-S", "PAGE", "-P", "1", "-G", "512")
    repack("repack_nbit_and_offset", "-f", "NBIT")
