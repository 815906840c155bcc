/** The conformance model: what it does is in sdk/conformance/README.md. */

import {
  ANY_LENGTH,
  Answer,
  BatchModel,
  Datatype,
  Description,
  Prediction,
  Refusal,
  RefusalKind,
  Request,
  Tensor,
  register,
} from "../../assembly";

export * from "../../assembly/component";

const NAMES: string[] = [
  "boolean",
  "uint8",
  "uint16",
  "uint32",
  "uint64",
  "int8",
  "int16",
  "int32",
  "int64",
  "fp16",
  "bf16",
  "fp32",
  "fp64",
  "text",
  "blob",
];
const EXPECTED =
  "`echo`, `reverse`, `sum`, `halves`, `unicode`, `read`, `notes`, `refuse`, `request` or `break`";

class Conformance extends BatchModel {
  describe(): Description {
    const description = new Description().input<string>("mode", [1]).input<string>("argument", [1]);
    for (let index = 0; index < NAMES.length; index++) {
      description.inputOf(NAMES[index], <Datatype>index, [ANY_LENGTH]);
      description.outputOf(NAMES[index], <Datatype>index, [ANY_LENGTH]);
    }
    return description
      .input<f64>("scalar", [])
      .input<f32>("matrix", [ANY_LENGTH, ANY_LENGTH])
      .input<i32>("cube", [2, ANY_LENGTH, 2])
      .output<f64>("scalar", [])
      .output<f32>("matrix", [ANY_LENGTH, ANY_LENGTH])
      .output<i32>("cube", [ANY_LENGTH, ANY_LENGTH, ANY_LENGTH])
      .output<string>("report", [ANY_LENGTH])
      .withBatchLimit(100);
  }

  predictBatch(requests: Request[]): Answer[] {
    return requests.map<Answer>((request) => answer(request));
  }
}

register(new Conformance());

function answer(request: Request): Answer {
  const mode = request.input("mode").scalar<string>();
  if (mode == "echo") return echo(request);
  if (mode == "reverse") return reverse(request);
  if (mode == "sum") return sum(request);
  if (mode == "halves") return halves(request);
  if (mode == "unicode") return unicode(request);
  if (mode == "read") return read(request);
  if (mode == "notes") return notes(request);
  if (mode == "refuse") return refuse(request);
  if (mode == "request") return report(request);
  if (mode == "break") return breaks(request);
  return Refusal.invalidInput("mode is `" + mode + "`, expected " + EXPECTED);
}

/** Outputs that are set by their names; the others are empty. */
class Outputs {
  private set: Map<string, Tensor> = new Map<string, Tensor>();

  put<T>(name: string, elements: T[]): this {
    return this.halves<T>(name, elements, <Datatype>NAMES.indexOf(name));
  }

  halves<T>(name: string, elements: T[], datatype: Datatype): this {
    return this.tensor(Tensor.of<T>(name, [elements.length], elements, datatype));
  }

  tensor(tensor: Tensor): this {
    this.set.set(tensor.name, tensor);
    return this;
  }

  prediction(): Prediction {
    const prediction = new Prediction();
    for (let index = 0; index < NAMES.length; index++) {
      const nothing = new Tensor(NAMES[index], <Datatype>index, [0], new ArrayBuffer(0), [], []);
      prediction.tensor(this.or(nothing));
    }
    prediction.tensor(this.or(Tensor.of<f64>("scalar", [], [0])));
    prediction.tensor(this.or(Tensor.of<f32>("matrix", [0, 0], [])));
    prediction.tensor(this.or(Tensor.of<i32>("cube", [0, 0, 0], [])));
    return prediction.tensor(this.or(Tensor.of<string>("report", [0], [])));
  }

  private or(nothing: Tensor): Tensor {
    return this.set.has(nothing.name) ? this.set.get(nothing.name) : nothing;
  }
}

function echo(request: Request): Answer {
  const outputs = new Outputs();
  for (let index = 2; index < request.inputs.length; index++) outputs.tensor(request.inputs[index]);
  return outputs.prediction();
}

function reversed<T>(request: Request, outputs: Outputs, name: string): void {
  const datatype = <Datatype>NAMES.indexOf(name);
  outputs.halves<T>(name, request.input(name).vector<T>(datatype).reverse(), datatype);
}

function reverse(request: Request): Answer {
  const outputs = new Outputs();
  reversed<bool>(request, outputs, "boolean");
  reversed<u8>(request, outputs, "uint8");
  reversed<u16>(request, outputs, "uint16");
  reversed<u32>(request, outputs, "uint32");
  reversed<u64>(request, outputs, "uint64");
  reversed<i8>(request, outputs, "int8");
  reversed<i16>(request, outputs, "int16");
  reversed<i32>(request, outputs, "int32");
  reversed<i64>(request, outputs, "int64");
  reversed<f32>(request, outputs, "fp16");
  reversed<f32>(request, outputs, "bf16");
  reversed<f32>(request, outputs, "fp32");
  reversed<f64>(request, outputs, "fp64");
  reversed<string>(request, outputs, "text");
  reversed<Uint8Array>(request, outputs, "blob");
  const matrix = request.input("matrix").matrix<f32>();
  const transposed: f32[] = [];
  for (let column = 0; column < matrix.columnCount; column++) {
    for (let row = 0; row < matrix.rowCount; row++) transposed.push(matrix.at(row, column));
  }
  const cube = request.input("cube");
  return outputs
    .tensor(Tensor.of<f64>("scalar", [], [-request.input("scalar").scalar<f64>()]))
    .tensor(Tensor.of<f32>("matrix", [matrix.columnCount, matrix.rowCount], transposed))
    .tensor(Tensor.of<i32>("cube", cube.shape.slice(0).reverse(), cube.elements<i32>().reverse()))
    .prediction();
}

function sum(request: Request): Answer {
  const numbers = request.input("fp64").vector<f64>();
  let total: f64 = 0;
  for (let index = 0; index < numbers.length; index++) total += numbers[index];
  const matrix = request.input("matrix").matrix<f32>();
  const rows: f64[] = [];
  for (let row = 0; row < matrix.rowCount; row++) {
    let ofRow: f64 = 0;
    for (let column = 0; column < matrix.columnCount; column++) ofRow += <f64>matrix.at(row, column);
    rows.push(ofRow);
  }
  const integers = request.input("int32").vector<i32>();
  let integer: i64 = 0;
  for (let index = 0; index < integers.length; index++) integer += <i64>integers[index];
  const blobs = request.input("blob").vector<Uint8Array>();
  let bytes: u64 = 0;
  for (let index = 0; index < blobs.length; index++) bytes += blobs[index].byteLength;
  return new Outputs()
    .tensor(Tensor.of<f64>("scalar", [], [total]))
    .put<f64>("fp64", rows)
    .put<i64>("int64", [integer])
    .put<u64>("uint64", [bytes])
    .prediction();
}

function halves(request: Request): Answer {
  const numbers = request.input("fp32").vector<f32>();
  const widened = request.input("fp16").vector<f32>(Datatype.Fp16);
  return new Outputs()
    .put<f32>("fp32", widened.concat(request.input("bf16").vector<f32>(Datatype.Bf16)))
    .put<f32>("fp16", numbers)
    .put<f32>("bf16", numbers)
    .prediction();
}

function unicode(request: Request): Answer {
  const texts = request.input("text").vector<string>();
  const blobs: Uint8Array[] = [];
  const bytes: u32[] = [];
  const points: u64[] = [];
  const same: bool[] = [];
  for (let index = 0; index < texts.length; index++) {
    const blob = Uint8Array.wrap(String.UTF8.encode(texts[index]));
    blobs.push(blob);
    bytes.push(blob.byteLength);
    let count: u64 = 0;
    // Bytes that continue a code point begin with the bits 10.
    for (let at = 0; at < blob.length; at++) if ((blob[at] & 0xc0) != 0x80) count++;
    points.push(count);
    same.push(texts[index] == texts[0]);
  }
  return new Outputs()
    .put<string>("text", [texts.join("|")])
    .put<Uint8Array>("blob", blobs)
    .put<u32>("uint32", bytes)
    .put<u64>("uint64", points)
    .put<bool>("boolean", same)
    .prediction();
}

function readAs<T>(tensor: Tensor, accessor: string, datatype: Datatype): Outputs {
  const outputs = new Outputs();
  const name = NAMES[datatype];
  if (accessor == "elements") return outputs.halves<T>(name, tensor.elements<T>(datatype), datatype);
  if (accessor == "scalar") return outputs.halves<T>(name, [tensor.scalar<T>(datatype)], datatype);
  if (accessor == "vector") return outputs.halves<T>(name, tensor.vector<T>(datatype), datatype);
  const matrix = tensor.matrix<T>(datatype);
  let elements: T[] = [];
  for (let row = matrix.rowCount - 1; row >= 0; row--) elements = elements.concat(matrix.row(row));
  return outputs
    .halves<T>(name, elements, datatype)
    .tensor(Tensor.of<string>("report", [2], [matrix.rowCount.toString() + " rows", matrix.columnCount.toString() + " columns"]));
}

function read(request: Request): Answer {
  const argument = request.input("argument").scalar<string>();
  const first = argument.indexOf(" ");
  const second = first < 0 ? -1 : argument.indexOf(" ", first + 1);
  const accessor = first < 0 ? "" : argument.substring(0, first);
  const datatype = second < 0 ? -1 : NAMES.indexOf(argument.substring(first + 1, second));
  const accessors: string[] = ["elements", "scalar", "vector", "matrix"];
  if (!accessors.includes(accessor) || datatype < 0) {
    return Refusal.invalidInput("argument is `" + argument + "`, expected ACCESSOR DATATYPE INPUT");
  }
  const tensor = request.input(argument.substring(second + 1));
  const wanted = <Datatype>datatype;
  switch (wanted) {
    case Datatype.Boolean:
      return readAs<bool>(tensor, accessor, wanted).prediction();
    case Datatype.Uint8:
      return readAs<u8>(tensor, accessor, wanted).prediction();
    case Datatype.Uint16:
      return readAs<u16>(tensor, accessor, wanted).prediction();
    case Datatype.Uint32:
      return readAs<u32>(tensor, accessor, wanted).prediction();
    case Datatype.Uint64:
      return readAs<u64>(tensor, accessor, wanted).prediction();
    case Datatype.Int8:
      return readAs<i8>(tensor, accessor, wanted).prediction();
    case Datatype.Int16:
      return readAs<i16>(tensor, accessor, wanted).prediction();
    case Datatype.Int32:
      return readAs<i32>(tensor, accessor, wanted).prediction();
    case Datatype.Int64:
      return readAs<i64>(tensor, accessor, wanted).prediction();
    case Datatype.Fp64:
      return readAs<f64>(tensor, accessor, wanted).prediction();
    case Datatype.Text:
      return readAs<string>(tensor, accessor, wanted).prediction();
    case Datatype.Blob:
      return readAs<Uint8Array>(tensor, accessor, wanted).prediction();
    default:
      return readAs<f32>(tensor, accessor, wanted).prediction();
  }
}

function notes(request: Request): Answer {
  const texts = request.input("text").vector<string>();
  const prediction = new Outputs().prediction();
  for (let index = 0; index < texts.length; index += 2) {
    prediction.note(texts[index], index + 1 < texts.length ? texts[index + 1] : "");
  }
  return prediction;
}

function refuse(request: Request): Answer {
  const kind = request.input("argument").scalar<string>();
  const texts = request.input("text").vector<string>();
  const message = texts.length ? texts[0] : "";
  if (kind == "invalid-input") return new Refusal(RefusalKind.InvalidInput, message);
  if (kind == "abstain") return new Refusal(RefusalKind.Abstain, message);
  if (kind == "failed") return new Refusal(RefusalKind.Failed, message);
  return Refusal.invalidInput("argument is `" + kind + "`, expected `invalid-input`, `abstain` or `failed`");
}

function breaks(request: Request): Answer {
  const kind = request.input("argument").scalar<string>();
  const texts = request.input("text").vector<string>();
  if (kind == "throw") throw new Error(texts.length ? texts[0] : "");
  while (kind == "loop") {}
  return Refusal.invalidInput("argument is `" + kind + "`, expected `throw` or `loop`");
}

function report(request: Request): Answer {
  const lines: string[] = [request.id, request.timeUs.toString()];
  for (let index = 0; index < request.inputs.length; index++) lines.push(request.inputs[index].toString());
  return new Outputs().tensor(Tensor.of<string>("report", [lines.length], lines)).prediction();
}
