"""Floats of 16 bits as their bits, since Python has no type for them."""

import math
import struct


def widen_fp16(bits: int) -> float:
    """Gives the value of an IEEE 754 binary16 number."""
    return struct.unpack("<e", bits.to_bytes(2, "little"))[0]


def widen_bf16(bits: int) -> float:
    """Gives the value of a bfloat16 number."""
    return struct.unpack("<f", (bits << 16).to_bytes(4, "little"))[0]


def narrow_to_fp16(value: float) -> int:
    """Gives the bits of the nearest binary16 number, ties to even; too large ones are infinite."""
    return _narrow(value, fraction_bits=10, exponent_bits=5)


def narrow_to_bf16(value: float) -> int:
    """Gives the bits of the nearest bfloat16 number, ties to even; too large ones are infinite."""
    return _narrow(value, fraction_bits=7, exponent_bits=8)


def narrow_to_fp32(value: float) -> float:
    """Gives the nearest binary32 number, ties to even; too large ones are infinite."""
    try:
        return struct.unpack("<f", struct.pack("<f", value))[0]
    except OverflowError:
        return math.copysign(math.inf, value)


def _narrow(value: float, fraction_bits: int, exponent_bits: int) -> int:
    """Rounds once, from binary64: by way of binary32 it would be twice."""
    bias = (1 << (exponent_bits - 1)) - 1
    infinite = ((1 << exponent_bits) - 1) << fraction_bits
    if math.isnan(value):
        return infinite | 1 << (fraction_bits - 1)
    sign = 1 << (fraction_bits + exponent_bits) if math.copysign(1.0, value) < 0 else 0
    if value == 0 or math.isinf(value):
        return sign | (infinite if value else 0)
    size = abs(value)
    # Below the smallest normal number all have the exponent of that.
    exponent = max(math.frexp(size)[1] - 1, 1 - bias)
    units = round(math.ldexp(size, fraction_bits - exponent))
    # A carry out of the fraction goes into the exponent, and out of the largest into infinity.
    return sign | min(units + ((exponent + bias - 1) << fraction_bits), infinite)
