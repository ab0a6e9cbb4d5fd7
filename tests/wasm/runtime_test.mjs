// runtime_test.mjs WEB: ltz.mjs in node, with the example model. WEB: the folder with ltz_runtime.wasm.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { pathToFileURL } from "node:url";

const web = process.argv[2];
const here = new URL(".", import.meta.url);
const { LtzError, Status, loadRuntime } = await import(pathToFileURL(`${web}/ltz.mjs`));
const runtime = await loadRuntime(readFileSync(`${web}/ltz_runtime.wasm`));
const example = readFileSync(new URL("../../examples/tatoeba-160/balanced.ltz", here));
const lines = (path) => readFileSync(new URL(path, here), "utf8").trimEnd().split("\n");

const refused = (status, pattern) => (error) =>
  error instanceof LtzError && error.status === status && pattern.test(error.message);

test("translations are those of x86-64, scores within 1e-4", () => {
  const model = runtime.open(example);
  const expected = lines("../runtime/translate.expected");
  lines("../../examples/everyday.en").slice(0, 10).forEach((line, i) => {
    model.translate(line, { nBest: 2 }).forEach(({ text, score }, rank) => {
      const [sentence, wanted, translation] = expected[2 * i + rank].split("\t");
      assert.equal(Number(sentence), i);
      assert.equal(text, translation);
      assert.ok(Math.abs(score - wanted) <= 1e-4, `${text}: ${score}, expected ${wanted}`);
    });
  });
  model.close();
});

test("ids and text are two ways to say the same", () => {
  const model = runtime.open(example);
  const [words] = model.translate("I am tired .");
  const [fromIds] = model.translateIds(words.ids);
  const [fromText] = model.translate(words.text);
  assert.deepEqual(fromIds, fromText);
  assert.deepEqual(model.translateIds([]), model.translate(" \n"));
  assert.deepEqual(model.translate("\u3000"), [{ text: "", score: 0, ids: [] }]);
  model.close();
});

test("options do what they say, and unknown ones are refused", () => {
  const model = runtime.open(example);
  assert.equal(model.translate("I am tired .", { maxLenB: 2 })[0].ids.length, 2);
  assert.ok(model.translate("I am tired .", { minLen: 9 })[0].ids.length >= 9);
  assert.equal(model.translate("I am tired .", { beam: 6, nBest: 5 }).length, 5);
  const bad = (options, pattern) =>
    assert.throws(() => model.translate("a", options), refused(Status.INVALID_ARGUMENT, pattern));
  bad({ nBest: 5 }, /n_best: expected 1 to 4/);
  bad({ beam: 1.5 }, /beam: expected an integer/);
  bad({ lenpen: "1" }, /lenpen: expected a number/);
  bad({ lenPen: 1 }, /option lenPen: expected one of beam/);
  model.close();
});

test("what is wrong is said, and the runtime goes on", () => {
  const bad = (bytes, pattern) =>
    assert.throws(() => runtime.open(bytes), refused(Status.INVALID_MODEL, pattern));
  bad(new Uint8Array(0), /model in memory/);
  bad(example.subarray(0, example.length - 1), /model in memory/);
  for (let position = 0; position < example.length; position += 9973) {
    const damaged = Uint8Array.from(example);
    damaged[position] ^= 1;
    bad(damaged, /./);
  }
  const model = runtime.open(example);
  assert.throws(() => model.translate("a\0b"), refused(Status.INVALID_ARGUMENT, /NUL/));
  assert.throws(() => model.translateIds([1 << 30]), refused(Status.INVALID_ARGUMENT, /./));
  assert.equal(model.translate("I am tired .")[0].text, "Je suis fatigué .");
  model.close();
  assert.throws(() => model.translate("a"), refused(Status.INVALID_ARGUMENT, /model is null/));
  model.close();
});

test("models that were closed leave their memory to the next ones", () => {
  // 13 MB each: more than the 2 GB that emscripten allows, were it not freed.
  for (let i = 0; i < 180; ++i) {
    const model = runtime.open(example);
    if (i % 45 === 0) {
      model.translate("I am tired .");
    }
    model.close();
  }
});
