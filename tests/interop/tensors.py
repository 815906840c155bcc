"""One tensor of every datatype, named like the inputs of the guest `every-datatype`, which gives them back."""

import struct

import ml_dtypes
import numpy as np


def _integers(dtype):
    limits = np.iinfo(dtype)
    return np.array([limits.min, limits.max, 0, 1, 77], dtype=dtype)


def _floats(dtype, smallest):
    # The only NaN that models give back is the canonical one, which is this one.
    return np.array([0.0, -0.0, 1.5, -2.25, smallest, np.inf, -np.inf, np.nan], dtype=dtype)


# By name: the datatype on the wire, and the elements.
ALL = {
    "bools": ("BOOL", np.array([True, False, True])),
    "u8s": ("UINT8", _integers(np.uint8)),
    "u16s": ("UINT16", _integers(np.uint16)),
    "u32s": ("UINT32", _integers(np.uint32)),
    "u64s": ("UINT64", _integers(np.uint64)),
    "s8s": ("INT8", _integers(np.int8)),
    "s16s": ("INT16", _integers(np.int16)),
    "s32s": ("INT32", _integers(np.int32)),
    "s64s": ("INT64", _integers(np.int64)),
    "f16s": ("FP16", _floats(np.float16, 6e-8)),
    "bf16s": ("BF16", _floats(ml_dtypes.bfloat16, 1e-40)),
    "f32s": ("FP32", _floats(np.float32, 1e-45)),
    "f64s": ("FP64", _floats(np.float64, 5e-324)),
    "texts": ("BYTES", np.array([b"", b"a", "zürich".encode()], dtype=np.object_)),
    "blobs": ("BYTES", np.array([b"", b"\x00\xff\xfe", b"text"], dtype=np.object_)),
}

EMPTY = {name: (datatype, elements[:0]) for name, (datatype, elements) in ALL.items()}


def finite(elements):
    """The elements without those that JSON has no number for."""
    if elements.dtype == np.object_ or elements.dtype == np.bool_:
        return elements
    return elements[np.isfinite(elements.astype(np.float64))]


def bits(elements):
    """What two arrays have to share to be the same."""
    if elements.dtype == np.object_:
        return [item if isinstance(item, bytes) else item.encode() for item in elements.flatten()]
    return elements.tobytes()


def serialized(elements):
    """The elements as raw bytes, written by hand so that no client vouches for itself."""
    if elements.dtype == np.object_:
        return b"".join(struct.pack("<I", len(item)) + item for item in elements)
    return elements.astype(elements.dtype.newbyteorder("<")).tobytes() if elements.dtype.kind in "iuf" else elements.tobytes()


def check(name, expected, found):
    """Fails where an array did not come back to the bit."""
    assert list(found.shape) == list(expected.shape), f"{name}: shape {found.shape}, expected {expected.shape}"
    assert bits(found) == bits(expected), f"{name}: {found!r}, expected {expected!r}"
