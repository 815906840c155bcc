/** Numbers of 16 bits, which AssemblyScript has no type for: they are read and written as their bits. */

/** The value of an IEEE 754 binary16 number, given as its bits. */
export function widenFp16(bits: u16): f32 {
  const sign = (<u32>(bits & 0x8000)) << 16;
  const exponent = <u32>((bits >> 10) & 0x1f);
  const fraction = <u32>(bits & 0x3ff);
  if (exponent == 0x1f) return reinterpret<f32>(sign | 0x7f800000 | (fraction << 13));
  if (exponent) return reinterpret<f32>(sign | ((exponent + 112) << 23) | (fraction << 13));
  const size = <f32>fraction * reinterpret<f32>(0x33800000); // 2 ** -24
  return reinterpret<f32>(sign | reinterpret<u32>(size));
}

/** The value of a bfloat16 number, given as its bits. */
export function widenBf16(bits: u16): f32 {
  return reinterpret<f32>((<u32>bits) << 16);
}

/** The bits of the binary16 number that is nearest, ties to even; too large ones are infinite. */
export function narrowToFp16(value: f32): u16 {
  const bits = reinterpret<u32>(value);
  const sign = <u16>((bits >> 16) & 0x8000);
  const size = bits & 0x7fffffff;
  if (size > 0x7f800000) return sign | 0x7e00;
  if (size >= 0x477ff000) return sign | 0x7c00;
  if (size < 0x38800000) {
    // Below the smallest normal number all count in units of 2 ** -24.
    return sign | <u16>nearest(Mathf.abs(value) * 16777216.0);
  }
  return sign | <u16>(rounded(size, 13) - (112 << 10));
}

/** The bits of the bfloat16 number that is nearest, ties to even; too large ones are infinite. */
export function narrowToBf16(value: f32): u16 {
  const bits = reinterpret<u32>(value);
  if ((bits & 0x7fffffff) > 0x7f800000) return <u16>(bits >> 16) | 0x40;
  return <u16>((bits >> 16) & 0x8000) | <u16>rounded(bits & 0x7fffffff, 16);
}

/** Drops bits from the right, to the nearest, ties to even. A carry goes into the exponent, as it should. */
function rounded(bits: u32, dropped: u32): u32 {
  const half = <u32>1 << (dropped - 1);
  return (bits + half - 1 + ((bits >> dropped) & 1)) >> dropped;
}
