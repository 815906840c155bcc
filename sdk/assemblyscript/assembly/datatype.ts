/** Datatypes: the elements that a tensor can have. */

/** The type of the elements of a tensor, in the order of the contract. */
export enum Datatype {
  Boolean,
  Uint8,
  Uint16,
  Uint32,
  Uint64,
  Int8,
  Int16,
  Int32,
  Int64,
  Fp16,
  Bf16,
  Fp32,
  Fp64,
  Text,
  Blob,
}

/**
 * The datatype whose elements are of the type `T`: `bool`, an integer, a float, `string` or `Uint8Array`. The halves are
 * held as `f32`, so they are named where they are read or written.
 */
export function datatypeOf<T>(): Datatype {
  if (isString<T>()) return Datatype.Text;
  if (isReference<T>()) {
    if (idof<T>() != idof<Uint8Array>()) ERROR("expected bool, an integer, a float, string or Uint8Array");
    return Datatype.Blob;
  }
  if (isBoolean<T>()) return Datatype.Boolean;
  if (isFloat<T>()) return sizeof<T>() == 4 ? Datatype.Fp32 : Datatype.Fp64;
  const size = ctz(sizeof<T>());
  return <Datatype>((isSigned<T>() ? <usize>Datatype.Int8 : <usize>Datatype.Uint8) + size);
}

/** The name on the wire; the two kinds of `BYTES` are told apart. */
export function wireName(datatype: Datatype): string {
  return unchecked(WIRE_NAMES[datatype]);
}

/** How many bytes an element has: eight, a pointer and a length, for text and blobs. */
export function elementSize(datatype: Datatype): i32 {
  return unchecked(SIZES[datatype]);
}

/** Whether elements are held as `f32` and are narrower on the way. */
export function isHalf(datatype: Datatype): bool {
  return datatype == Datatype.Fp16 || datatype == Datatype.Bf16;
}

const WIRE_NAMES: StaticArray<string> = [
  "BOOL",
  "UINT8",
  "UINT16",
  "UINT32",
  "UINT64",
  "INT8",
  "INT16",
  "INT32",
  "INT64",
  "FP16",
  "BF16",
  "FP32",
  "FP64",
  "BYTES (text)",
  "BYTES (blob)",
];
const SIZES: StaticArray<i32> = [1, 1, 2, 4, 8, 1, 2, 4, 8, 2, 2, 4, 8, 8, 8];
