// Translating with a .ltz file in a browser or in node: ltz_runtime.h for JavaScript.
//
//   import { loadRuntime } from "./ltz.mjs";
//   const runtime = await loadRuntime();
//   const model = runtime.open(new Uint8Array(await (await fetch("model.ltz")).arrayBuffer()));
//   console.log(model.translate("a cat sleeps .", { beam: 4 })[0].text);
//   model.close();
import createModule from "./ltz_runtime.mjs";

// What was wrong; status: one of Status.
export class LtzError extends Error {
  constructor(status, text) {
    super(text);
    this.name = "LtzError";
    this.status = status;
  }
}

// As ltz_status has them.
export const Status = Object.freeze({
  INVALID_ARGUMENT: 1,
  INVALID_MODEL: 2,
  OUT_OF_MEMORY: 4,
  INTERNAL_ERROR: 5,
});

// ltz_options: where each is, and of which type. Pointers and sizes have 32 bits.
const OPTION_FIELDS = {
  beam: [0, "i32"],
  nBest: [4, "i32"],
  lenpen: [8, "double"],
  maxLenA: [16, "double"],
  maxLenB: [24, "i32"],
  minLen: [28, "i32"],
  noRepeatNgramSize: [32, "i32"],
};
const OPTIONS_SIZE = 40;
const ERROR_SIZE = 260; // ltz_error: a status and a text of 256 bytes
const ERROR_TEXT = 4;

// wasm: the bytes of ltz_runtime.wasm; without, it is fetched from beside this file.
export async function loadRuntime(wasm) {
  return new Runtime(await createModule(wasm === undefined ? {} : { wasmBinary: wasm }));
}

class Runtime {
  #module;

  constructor(module) {
    this.#module = module;
  }

  get version() {
    return this.#module.UTF8ToString(this.#module._ltz_version());
  }

  // bytes: a Uint8Array with a whole .ltz file. Throws LtzError.
  open(bytes) {
    const module = this.#module;
    const pointer = withBytes(module, bytes, (at) =>
      orError(module, (error) => module._ltz_open_memory(at, bytes.length, error)),
    );
    return new Model(module, pointer);
  }
}

class Model {
  #module;
  #pointer;

  constructor(module, pointer) {
    this.#module = module;
    this.#pointer = pointer;
  }

  // Tokens with white space between them -> the best translations, best first, each with text,
  // score and ids. options: beam, nBest, lenpen, maxLenA, maxLenB, minLen, noRepeatNgramSize; see
  // ltz_options for what they mean and default to. Throws LtzError.
  translate(text, options = {}) {
    const module = this.#module;
    const bytes = new TextEncoder().encode(text);
    if (bytes.includes(0)) {
      throw new LtzError(Status.INVALID_ARGUMENT, "text: expected no NUL");
    }
    const terminated = new Uint8Array(bytes.length + 1);
    terminated.set(bytes);
    return withBytes(module, terminated, (at) =>
      this.#translated(options, (chosen, error) =>
        module._ltz_translate(this.#pointer, at, chosen, error),
      ),
    );
  }

  // The same from token ids without </s>.
  translateIds(ids, options = {}) {
    const module = this.#module;
    const bytes = new Uint8Array(Int32Array.from(ids).buffer);
    return withBytes(module, bytes, (at) =>
      this.#translated(options, (chosen, error) =>
        module._ltz_translate_ids(this.#pointer, at, ids.length, chosen, error),
      ),
    );
  }

  // Its memory is not freed before. A closed model translates nothing.
  close() {
    this.#module._ltz_free_model(this.#pointer);
    this.#pointer = 0;
  }

  #translated(options, translate) {
    const module = this.#module;
    return withMemory(module, OPTIONS_SIZE, (chosen) => {
      setOptions(module, chosen, options);
      const translations = orError(module, (error) => translate(chosen, error));
      try {
        return Array.from({ length: module._ltz_translations_count(translations) }, (_, i) =>
          translation(module, translations, i),
        );
      } finally {
        module._ltz_free_translations(translations);
      }
    });
  }
}

function setOptions(module, at, options) {
  module._ltz_default_options(at);
  for (const [name, value] of Object.entries(options)) {
    if (!Object.hasOwn(OPTION_FIELDS, name)) {
      const known = Object.keys(OPTION_FIELDS).join(", ");
      throw new LtzError(Status.INVALID_ARGUMENT, `option ${name}: expected one of ${known}`);
    }
    const [offset, type] = OPTION_FIELDS[name];
    if (typeof value !== "number" || (type === "i32" && value !== (value | 0))) {
      const expected = type === "i32" ? "an integer of 32 bits" : "a number";
      throw new LtzError(Status.INVALID_ARGUMENT, `${name}: expected ${expected}, found ${value}`);
    }
    module.setValue(at + offset, value, type);
  }
}

function translation(module, translations, i) {
  const first = module._ltz_translation_ids(translations, i, 0);
  const count = withMemory(module, 4, (at) => {
    module._ltz_translation_ids(translations, i, at);
    return module.getValue(at, "i32");
  });
  return {
    text: module.UTF8ToString(module._ltz_translation_text(translations, i)),
    score: module._ltz_translation_score(translations, i),
    ids: Array.from(module.HEAP32.subarray(first / 4, first / 4 + count)),
  };
}

// What call(error) returns; throws what it reports instead of a null.
function orError(module, call) {
  return withMemory(module, ERROR_SIZE, (error) => {
    const result = call(error);
    if (result === 0) {
      throw new LtzError(module.getValue(error, "i32"), module.UTF8ToString(error + ERROR_TEXT));
    }
    return result;
  });
}

function withBytes(module, bytes, use) {
  return withMemory(module, bytes.length, (at) => {
    module.HEAPU8.set(bytes, at);
    return use(at);
  });
}

function withMemory(module, size, use) {
  const at = module._malloc(Math.max(size, 1));
  if (at === 0) {
    throw new LtzError(Status.OUT_OF_MEMORY, "out of memory");
  }
  try {
    return use(at);
  } finally {
    module._free(at);
  }
}
