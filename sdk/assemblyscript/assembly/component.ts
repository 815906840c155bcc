/**
 * What the host calls: the canonical ABI of the contract, by hand. Nothing here is for models but
 * `export * from ".../component"` in the main module; the builder gives these functions the names of the contract.
 *
 * What the host writes goes into buffers of the garbage collector, so that a tensor of the host is read in place. They are
 * kept until the call has ended, as is what the host reads.
 */

import { Datatype } from "./datatype";
import { TensorType } from "./description";
import { theModel } from "./model";
import { Answer, Prediction } from "./prediction";
import { Refusal } from "./refusal";
import { Request } from "./request";
import { Tensor } from "./tensor";

/** What must stay until the call has ended. */
const kept: ArrayBuffer[] = [];

/** Gives the host memory to write to. */
export function cabi_realloc(old: usize, oldSize: usize, _align: usize, size: usize): usize {
  // A list without elements has a pointer too, which nobody follows.
  if (size == 0) return 16;
  const buffer = keep(size);
  if (old) memory.copy(buffer, old, min(oldSize, size));
  return buffer;
}

/** The description of the model. */
export function understudy_describe(): usize {
  const description = theModel().describe();
  const result = keep(24);
  writeList(result, writeTypes(description.inputs), description.inputs.length);
  writeList(result + 8, writeTypes(description.outputs), description.outputs.length);
  store<u32>(result, description.batchLimit, 16);
  store<bool>(result, description.isStateless, 20);
  return result;
}

/** The answers to requests, which the host has written. */
export function understudy_predict(at: usize, count: i32): usize {
  const requests: Request[] = [];
  for (let index = 0; index < count; index++) requests.push(readRequest(at + index * 24));
  const answers = theModel().predictBatch(requests);
  assert(answers.length == count, "one answer for each request");
  const list = keep(count * 20);
  for (let index = 0; index < count; index++) {
    const refusal = requests[index].refusal;
    writeAnswer(list + index * 20, refusal ? refusal : answers[index]);
  }
  const result = keep(8);
  writeList(result, list, count);
  return result;
}

/** Lets go of everything that the call needed. */
export function understudy_free(_result: usize): void {
  kept.length = 0;
}

function keep(size: usize): usize {
  return keepBuffer(new ArrayBuffer(<i32>size));
}

function keepBuffer(buffer: ArrayBuffer): usize {
  kept.push(buffer);
  return changetype<usize>(buffer);
}

/** The buffer of a list that the host has written. */
function bufferAt(list: usize): ArrayBuffer {
  return load<u32>(list, 4) ? changetype<ArrayBuffer>(load<usize>(list)) : new ArrayBuffer(0);
}

function readText(at: usize): string {
  return String.UTF8.decodeUnsafe(load<usize>(at), load<u32>(at, 4));
}

function readRequest(at: usize): Request {
  const list = load<usize>(at, 16);
  const count = load<i32>(at, 20);
  const inputs: Tensor[] = [];
  for (let index = 0; index < count; index++) inputs.push(readTensor(list + index * 28));
  return new Request(readText(at), load<u64>(at, 8), inputs);
}

function readTensor(at: usize): Tensor {
  const datatype = <Datatype>load<u8>(at, 16);
  const rank = load<i32>(at, 12);
  const shape = new Array<i32>(rank);
  memory.copy(shape.dataStart, load<usize>(at, 8), rank << 2);
  const texts: string[] = [];
  const blobs: Uint8Array[] = [];
  let bytes = new ArrayBuffer(0);
  const list = load<usize>(at, 20);
  const count = load<i32>(at, 24);
  if (datatype == Datatype.Text) {
    for (let index = 0; index < count; index++) texts.push(readText(list + (index << 3)));
  } else if (datatype == Datatype.Blob) {
    for (let index = 0; index < count; index++) blobs.push(Uint8Array.wrap(bufferAt(list + (index << 3))));
  } else {
    bytes = bufferAt(at + 20);
  }
  return new Tensor(readText(at), datatype, shape, bytes, texts, blobs);
}

function writeList(at: usize, list: usize, count: i32): void {
  store<usize>(at, list);
  store<i32>(at, count, 4);
}

function writeText(at: usize, text: string): void {
  // Half of a surrogate pair has no form in UTF-8.
  const bytes = String.UTF8.encode(text, false, String.UTF8.ErrorMode.REPLACE);
  writeList(at, keepBuffer(bytes), bytes.byteLength);
}

function writeShape(at: usize, shape: i32[]): void {
  const list = keep(shape.length << 2);
  memory.copy(list, shape.dataStart, shape.length << 2);
  writeList(at, list, shape.length);
}

function writeTypes(types: TensorType[]): usize {
  const list = keep(types.length * 20);
  for (let index = 0; index < types.length; index++) {
    const at = list + index * 20;
    writeText(at, types[index].name);
    store<u8>(at, <u8>types[index].datatype, 8);
    writeShape(at + 12, types[index].shape);
  }
  return list;
}

function writeAnswer(at: usize, answer: Answer): void {
  if (answer instanceof Refusal) {
    const refusal = <Refusal>answer;
    store<u8>(at, 1);
    store<u8>(at, <u8>refusal.kind, 4);
    writeText(at + 8, refusal.message);
    return;
  }
  const prediction = <Prediction>answer;
  const outputs = keep(prediction.outputs.length * 28);
  for (let index = 0; index < prediction.outputs.length; index++) {
    writeTensor(outputs + index * 28, prediction.outputs[index]);
  }
  const notes = keep(prediction.notes.length << 3);
  for (let index = 0; index < prediction.notes.length; index++) writeText(notes + (index << 3), prediction.notes[index]);
  store<u8>(at, 0);
  writeList(at + 4, outputs, prediction.outputs.length);
  writeList(at + 12, notes, prediction.notes.length >> 1);
}

function writeTensor(at: usize, tensor: Tensor): void {
  writeText(at, tensor.name);
  writeShape(at + 8, tensor.shape);
  store<u8>(at, <u8>tensor.datatype, 16);
  const count = tensor.length;
  if (tensor.datatype == Datatype.Text) {
    const list = keep(count << 3);
    for (let index = 0; index < count; index++) writeText(list + (index << 3), tensor.texts[index]);
    writeList(at + 20, list, count);
  } else if (tensor.datatype == Datatype.Blob) {
    const list = keep(count << 3);
    for (let index = 0; index < count; index++) {
      const blob = tensor.blobs[index];
      const bytes = keep(blob.byteLength);
      memory.copy(bytes, blob.dataStart, blob.byteLength);
      writeList(list + (index << 3), bytes, blob.byteLength);
    }
    writeList(at + 20, list, count);
  } else {
    writeList(at + 20, keepBuffer(tensor.bytes), count);
  }
}
