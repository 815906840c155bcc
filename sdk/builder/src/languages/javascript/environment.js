/**
 * What packages expect of a JavaScript engine and the one in the component lacks. Evaluated before everything else.
 *
 * A model has no clock and no random numbers, so that the same request always gets the same prediction. While the modules
 * are evaluated, at build time, both are fixed; in a call they throw.
 */

let isBuilding = true;

globalThis[Symbol.for("understudy.begin")] = () => {
  isBuilding = false;
};

function forbidInCalls(what, instead) {
  if (!isBuilding) throw new Error(`a model has no ${what}, since the same request always gets the same prediction: ${instead}`);
}

const now = () => {
  forbidInCalls("clock", "read request.timeUs");
  return 0;
};
const PlainDate = Date;
globalThis.Date = new Proxy(PlainDate, {
  construct: (target, given, newTarget) => Reflect.construct(target, given.length === 0 ? [now()] : given, newTarget),
  apply: () => new PlainDate(now()).toString(),
  get: (target, name, receiver) => (name === "now" ? now : Reflect.get(target, name, receiver)),
});
PlainDate.prototype.constructor = globalThis.Date;
globalThis.performance = { now, timeOrigin: 0 };

let state = 0x9e3779b9;
Math.random = () => {
  forbidInCalls("random numbers", "use a generator that is seeded from the request");
  state ^= state << 13;
  state ^= state >>> 17;
  state ^= state << 5;
  return (state >>> 0) / 2 ** 32;
};

const ignored = () => {};
globalThis.console = Object.fromEntries(
  ["assert", "debug", "dir", "error", "group", "groupEnd", "info", "log", "table", "time", "timeEnd", "trace", "warn"].map((name) => [name, ignored]),
);

globalThis.TextEncoder = class TextEncoder {
  get encoding() {
    return "utf-8";
  }

  encode(text = "") {
    const bytes = [];
    for (const letter of String(text).toWellFormed()) {
      const point = letter.codePointAt(0);
      if (point < 0x80) bytes.push(point);
      else if (point < 0x800) bytes.push(0xc0 | (point >> 6), 0x80 | (point & 0x3f));
      else if (point < 0x10000) bytes.push(0xe0 | (point >> 12), 0x80 | ((point >> 6) & 0x3f), 0x80 | (point & 0x3f));
      else bytes.push(0xf0 | (point >> 18), 0x80 | ((point >> 12) & 0x3f), 0x80 | ((point >> 6) & 0x3f), 0x80 | (point & 0x3f));
    }
    return Uint8Array.from(bytes);
  }
};

globalThis.TextDecoder = class TextDecoder {
  #fatal;
  #ignoreBom;

  constructor(label = "utf-8", { fatal = false, ignoreBOM = false } = {}) {
    if (!/^\s*utf-?8\s*$/i.test(label)) throw new RangeError(`there is no decoder for ${label}, expected utf-8`);
    this.#fatal = fatal;
    this.#ignoreBom = ignoreBOM;
  }

  get encoding() {
    return "utf-8";
  }

  decode(input = new Uint8Array()) {
    const bytes = ArrayBuffer.isView(input) ? new Uint8Array(input.buffer, input.byteOffset, input.byteLength) : new Uint8Array(input);
    let text = "";
    for (let at = 0; at < bytes.length; ) {
      const [point, length] = codePoint(bytes, at);
      if (point === undefined && this.#fatal) throw new TypeError("the bytes are not UTF-8");
      text += point === undefined ? "\ufffd" : String.fromCodePoint(point);
      at += length;
    }
    return text.startsWith("\ufeff") && !this.#ignoreBom ? text.slice(1) : text;
  }
};

/** The code point at a place and how many bytes it takes; none where the bytes there are not UTF-8. */
function codePoint(bytes, at) {
  const first = bytes[at];
  if (first < 0x80) return [first, 1];
  const more = first >= 0xc2 && first <= 0xdf ? 1 : first >= 0xe0 && first <= 0xef ? 2 : first >= 0xf0 && first <= 0xf4 ? 3 : 0;
  if (more === 0) return [undefined, 1];
  let point = first & (0x3f >> more);
  for (let index = 1; index <= more; index += 1) {
    const byte = bytes[at + index];
    const least = index > 1 ? 0x80 : first === 0xe0 ? 0xa0 : first === 0xf0 ? 0x90 : 0x80;
    const most = index > 1 ? 0xbf : first === 0xed ? 0x9f : first === 0xf4 ? 0x8f : 0xbf;
    if (byte === undefined || byte < least || byte > most) return [undefined, index];
    point = (point << 6) | (byte & 0x3f);
  }
  return [point, more + 1];
}
