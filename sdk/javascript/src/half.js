/** Numbers of 16 bits, which JavaScript has no arrays for: they are read and written as their bits. */

const FLOAT = new Float32Array(1);
const BITS = new Uint32Array(FLOAT.buffer);
const DOUBLE = new Float64Array(1);
const HALVES_OF_DOUBLE = new Uint32Array(DOUBLE.buffer);

/** The value of an IEEE 754 binary16 number, given as its bits. */
export function widenFp16(bits) {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 0x1f;
  const fraction = bits & 0x3ff;
  if (exponent === 0x1f) return fraction ? NaN : sign * Infinity;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  return sign * (1024 + fraction) * 2 ** (exponent - 25);
}

/** The value of a bfloat16 number, given as its bits. */
export function widenBf16(bits) {
  BITS[0] = bits << 16;
  return FLOAT[0];
}

/** The bits of the binary16 number that is nearest, ties to even; too large ones are infinite. */
export function narrowToFp16(value) {
  return narrow(value, 10, 5);
}

/** The bits of the bfloat16 number that is nearest, ties to even; too large ones are infinite. */
export function narrowToBf16(value) {
  return narrow(value, 7, 8);
}

/** Rounds once, from binary64, whatever the width: by way of binary32 it would be twice. */
function narrow(value, fractionBits, exponentBits) {
  const bias = 2 ** (exponentBits - 1) - 1;
  const infinite = (2 ** exponentBits - 1) << fractionBits;
  const sign = value < 0 || Object.is(value, -0) ? 1 << (fractionBits + exponentBits) : 0;
  if (Number.isNaN(value)) return infinite | (1 << (fractionBits - 1));
  const size = Math.abs(value);
  if (size === Infinity) return sign | infinite;
  // Below the smallest normal number all have the exponent of that.
  const exponent = Math.max(exponentOf(size), 1 - bias);
  const units = roundTiesToEven(size * 2 ** (fractionBits - exponent));
  // A carry out of the fraction goes into the exponent, and out of the largest into infinity.
  const bits = units + (exponent + bias - 1) * 2 ** fractionBits;
  return sign | Math.min(bits, infinite);
}

function exponentOf(size) {
  DOUBLE[0] = size;
  return ((HALVES_OF_DOUBLE[1] >>> 20) & 0x7ff) - 1023;
}

function roundTiesToEven(value) {
  const below = Math.floor(value);
  const rest = value - below;
  return rest > 0.5 || (rest === 0.5 && below % 2 === 1) ? below + 1 : below;
}
