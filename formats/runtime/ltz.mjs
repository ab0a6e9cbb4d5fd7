// Translating, and completing what one types, with a .ltz file in a browser or in node:
// ltz_runtime.h for JavaScript.
//
//   import { loadRuntime } from "./ltz.mjs";
//   const runtime = await loadRuntime();
//   const model = runtime.open(new Uint8Array(await (await fetch("model.ltz")).arrayBuffer()));
//   console.log(model.translate("a cat sleeps .", { beam: 4 })[0].text);
//   model.close();
//
// and with a language model
//
//   const state = model.start();
//   state.extend("a cat");
//   console.log(state.next(5).map(({ text }) => text));
//   state.close();
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
    return withText(this.#module, text, (at) =>
      this.#translated(options, (chosen, error) =>
        this.#module._ltz_translate(this.#pointer, at, chosen, error),
      ),
    );
  }

  // The same from token ids without </s>.
  translateIds(ids, options = {}) {
    return withIds(this.#module, ids, (at) =>
      this.#translated(options, (chosen, error) =>
        this.#module._ltz_translate_ids(this.#pointer, at, ids.length, chosen, error),
      ),
    );
  }

  // Of a language model: a text -> how it may end, most likely first, in the form of translations:
  // text and ids of what follows, and the score of the whole. Throws LtzError.
  complete(text, options = {}) {
    return withText(this.#module, text, (at) =>
      this.#translated(options, (chosen, error) =>
        this.#module._ltz_lm_complete(this.#pointer, at, chosen, error),
      ),
    );
  }

  // Of a language model: a text -> its logProbability, and its tokens with </s>, each with text,
  // logProbability and ids. Throws LtzError.
  score(text) {
    const tokens = withText(this.#module, text, (at) =>
      takeWords(this.#module, (error) =>
        this.#module._ltz_lm_score(this.#pointer, at, error),
      ),
    );
    return { logProbability: tokens.reduce((sum, token) => sum + token.logProbability, 0), tokens };
  }

  // Of a language model: an empty text that it reads on. Throws LtzError.
  start() {
    return new State(
      this.#module,
      this,
      orError(this.#module, (error) => this.#module._ltz_lm_start(this.#pointer, error)),
    );
  }

  get isOpen() {
    return this.#pointer !== 0;
  }

  // Its memory is not freed before. A closed model translates nothing, nor do its states go on.
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

// A text that a language model is reading.
class State {
  #module;
  #model;
  #pointer;

  constructor(module, model, pointer) {
    this.#module = module;
    this.#model = model;
    this.#pointer = pointer;
  }

  // Tokens that were read.
  get length() {
    return this.#module._ltz_lm_length(this.#pointer);
  }

  // Reads whole words. Throws LtzError, and has read none of them, where they are too many.
  extend(text) {
    this.#requireModel();
    withText(this.#module, text, (at) =>
      orStatus(this.#module, (error) => this.#module._ltz_lm_extend(this.#pointer, at, error)),
    );
  }

  // The same from token ids.
  extendIds(ids) {
    this.#requireModel();
    withIds(this.#module, ids, (at) =>
      orStatus(this.#module, (error) =>
        this.#module._ltz_lm_extend_ids(this.#pointer, at, ids.length, error),
      ),
    );
  }

  // The likeliest next words, best first, each with text, logProbability and ids; </s> has the
  // text "</s>". beginning: what is there of the next word. Throws LtzError.
  next(count, beginning = "") {
    this.#requireModel();
    if (!Number.isInteger(count) || count < 1) {
      throw new LtzError(Status.INVALID_ARGUMENT, `count: expected at least 1, found ${count}`);
    }
    return withText(this.#module, beginning, (at) =>
      takeWords(this.#module, (error) =>
        this.#module._ltz_lm_next(this.#pointer, at, count, error),
      ),
    );
  }

  // The same text again; the two go on independently.
  copy() {
    this.#requireModel();
    return new State(
      this.#module,
      this.#model,
      orError(this.#module, (error) => this.#module._ltz_lm_copy(this.#pointer, error)),
    );
  }

  // Its memory is not freed before.
  close() {
    this.#module._ltz_lm_free_state(this.#pointer);
    this.#pointer = 0;
  }

  #requireModel() {
    if (!this.#model.isOpen) {
      throw new LtzError(Status.INVALID_ARGUMENT, "the model is closed");
    }
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
  return {
    text: module.UTF8ToString(module._ltz_translation_text(translations, i)),
    score: module._ltz_translation_score(translations, i),
    ids: idsOf(module, (count) => module._ltz_translation_ids(translations, i, count)),
  };
}

// The words that call(error) makes.
function takeWords(module, call) {
  const words = orError(module, call);
  try {
    return Array.from({ length: module._ltz_lm_words_count(words) }, (_, i) => ({
      text: module.UTF8ToString(module._ltz_lm_word_text(words, i)),
      logProbability: module._ltz_lm_word_log_probability(words, i),
      ids: idsOf(module, (count) => module._ltz_lm_word_ids(words, i, count)),
    }));
  } finally {
    module._ltz_lm_free_words(words);
  }
}

// find(count): where ids are; sets how many.
function idsOf(module, find) {
  return withMemory(module, 4, (at) => {
    const first = find(at);
    return Array.from(module.HEAP32.subarray(first / 4, first / 4 + module.getValue(at, "i32")));
  });
}

// What call(error) returns; throws what it reports instead of a null.
function orError(module, call) {
  return withMemory(module, ERROR_SIZE, (error) => {
    const result = call(error);
    if (result === 0) {
      throw reported(module, error);
    }
    return result;
  });
}

// The same of a call that returns a status.
function orStatus(module, call) {
  withMemory(module, ERROR_SIZE, (error) => {
    if (call(error) !== 0) {
      throw reported(module, error);
    }
  });
}

function reported(module, error) {
  return new LtzError(module.getValue(error, "i32"), module.UTF8ToString(error + ERROR_TEXT));
}

function withText(module, text, use) {
  const bytes = new TextEncoder().encode(text);
  if (bytes.includes(0)) {
    throw new LtzError(Status.INVALID_ARGUMENT, "text: expected no NUL");
  }
  const terminated = new Uint8Array(bytes.length + 1);
  terminated.set(bytes);
  return withBytes(module, terminated, use);
}

function withIds(module, ids, use) {
  return withBytes(module, new Uint8Array(Int32Array.from(ids).buffer), use);
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
