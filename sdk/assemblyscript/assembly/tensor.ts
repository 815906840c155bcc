import { Datatype, datatypeOf, elementSize, isHalf, wireName } from "./datatype";
import { narrowToBf16, narrowToFp16, widenBf16, widenFp16 } from "./half";
import { Refusal } from "./refusal";
import { Request } from "./request";

/** A named array of any rank. */
export class Tensor {
  /** The request that it is an input of. */
  request: Request | null = null;

  constructor(
    readonly name: string,
    readonly datatype: Datatype,
    readonly shape: i32[],
    /** The elements as they lie in memory, but for texts and blobs. */
    readonly bytes: ArrayBuffer,
    /** The elements of a tensor of texts. */
    readonly texts: string[],
    /** The elements of a tensor of blobs. */
    readonly blobs: Uint8Array[],
  ) {}

  /** A tensor of these elements. Those of the halves are `f32`. */
  static of<T>(name: string, shape: i32[], elements: T[], datatype: Datatype = datatypeOf<T>()): Tensor {
    let bytes = new ArrayBuffer(0);
    let texts: string[] = [];
    let blobs: Uint8Array[] = [];
    if (isString<T>()) {
      texts = changetype<string[]>(elements);
    } else if (isReference<T>()) {
      blobs = changetype<Uint8Array[]>(elements);
    } else if (isHalf(datatype)) {
      bytes = new ArrayBuffer(elements.length * 2);
      for (let index = 0; index < elements.length; index++) {
        const element = <f32>unchecked(elements[index]);
        const bits = datatype == Datatype.Fp16 ? narrowToFp16(element) : narrowToBf16(element);
        store<u16>(changetype<usize>(bytes) + (index << 1), bits);
      }
    } else {
      bytes = new ArrayBuffer(elements.length * sizeof<T>());
      memory.copy(changetype<usize>(bytes), elements.dataStart, bytes.byteLength);
    }
    return new Tensor(name, datatype, shape, bytes, texts, blobs);
  }

  /** How many elements there are, whatever the shape says. */
  get length(): i32 {
    if (this.datatype == Datatype.Text) return this.texts.length;
    if (this.datatype == Datatype.Blob) return this.blobs.length;
    return this.bytes.byteLength / elementSize(this.datatype);
  }

  /** All elements in row-major order, whatever the shape. Those of the halves are read as `f32`, and named. */
  elements<T>(datatype: Datatype = datatypeOf<T>()): T[] {
    if (!this.fits(datatype)) return [];
    if (isString<T>()) return changetype<T[]>(this.texts.slice(0));
    if (isReference<T>()) return changetype<T[]>(this.blobs.slice(0));
    const elements = new Array<T>(this.length);
    if (isHalf(datatype)) {
      for (let index = 0; index < elements.length; index++) {
        const bits = load<u16>(changetype<usize>(this.bytes) + (index << 1));
        unchecked((elements[index] = <T>(datatype == Datatype.Fp16 ? widenFp16(bits) : widenBf16(bits))));
      }
    } else {
      memory.copy(elements.dataStart, changetype<usize>(this.bytes), this.bytes.byteLength);
    }
    return elements;
  }

  /** The one element, of a tensor of shape `[]`, `[1]`, `[1, 1]` and so on. */
  scalar<T>(datatype: Datatype = datatypeOf<T>()): T {
    if (this.fits(datatype)) {
      if (this.length == 1) return this.elements<T>(datatype)[0];
      this.refuse(wireName(datatype) + " with one element");
    }
    if (isString<T>()) return changetype<T>("");
    if (isReference<T>()) return changetype<T>(new Uint8Array(0));
    return <T>0;
  }

  /** The elements of a tensor with one dimension. */
  vector<T>(datatype: Datatype = datatypeOf<T>()): T[] {
    if (!this.fits(datatype)) return [];
    if (this.shape.length == 1) return this.elements<T>(datatype);
    this.refuse(wireName(datatype) + " with one dimension");
    return [];
  }

  /** The elements of a tensor with two dimensions, as rows. */
  matrix<T>(datatype: Datatype = datatypeOf<T>()): Matrix<T> {
    if (!this.fits(datatype)) return new Matrix<T>(0, 0, []);
    if (this.shape.length == 2) return new Matrix<T>(this.shape[0], this.shape[1], this.elements<T>(datatype));
    this.refuse(wireName(datatype) + " with two dimensions");
    return new Matrix<T>(0, 0, []);
  }

  /** What the tensor is, and none of its elements. */
  toString(): string {
    let shape = "";
    for (let index = 0; index < this.shape.length; index++) {
      shape += (index ? ", " : "") + (<u32>this.shape[index]).toString();
    }
    return "tensor `" + this.name + "` is " + wireName(this.datatype) + "[" + shape + "]";
  }

  /** Whether the elements are of this datatype, and as many as the shape asks for. */
  private fits(datatype: Datatype): bool {
    // What is read of a request that is refused already does not matter any more.
    const request = this.request;
    if (request && request.refusal) return false;
    if (datatype != this.datatype) {
      this.refuse(wireName(datatype));
      return false;
    }
    let expected: u64 = 1;
    for (let index = 0; index < this.shape.length; index++) expected *= <u64>(<u32>this.shape[index]);
    if (expected == this.length) return true;
    if (request) {
      request.refuse(Refusal.invalidInput(this.toString() + " but holds " + this.length.toString() + " elements"));
    }
    return false;
  }

  private refuse(expected: string): void {
    const request = this.request;
    if (request) request.refuse(Refusal.invalidInput(this.toString() + ", expected " + expected));
  }
}

/** The elements of a tensor with two dimensions. */
export class Matrix<T> {
  constructor(
    readonly rowCount: i32,
    readonly columnCount: i32,
    /** All rows, one behind the other. */
    readonly elements: T[],
  ) {}

  /** A copy of the row at an index. */
  row(index: i32): T[] {
    return this.elements.slice(index * this.columnCount, (index + 1) * this.columnCount);
  }

  /** The element at a row and a column. */
  at(row: i32, column: i32): T {
    return this.elements[row * this.columnCount + column];
  }
}
