// language_model_test.mjs WEB: a small language model in node. WEB: the folder with ltz_runtime.wasm.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { pathToFileURL } from "node:url";

const web = process.argv[2];
const here = new URL(".", import.meta.url);
const { LtzError, Status, loadRuntime } = await import(pathToFileURL(`${web}/ltz.mjs`));
const runtime = await loadRuntime(readFileSync(`${web}/ltz_runtime.wasm`));
const bytes = readFileSync(new URL("../runtime/language-model.ltz", here));
const expected = readFileSync(new URL("../runtime/language-model.expected", here), "utf8")
  .trimEnd().split("\n").map((line) => line.split("\t"));

const refused = (pattern) => (error) =>
  error instanceof LtzError && error.status === Status.INVALID_ARGUMENT && pattern.test(error.message);
const near = (found, wanted, tolerance = 1e-4) =>
  assert.ok(Math.abs(found - wanted) <= tolerance, `${found}, expected ${wanted}`);
// Lines of a kind by their text.
function texts(kind) {
  const lines = expected.filter(([found]) => found === kind);
  assert.ok(lines.length > 0);
  return lines.reduce((map, line) => map.set(line[1], [...(map.get(line[1]) ?? []), line]), new Map());
}

test("scores, next words and completions are the reference's", () => {
  const model = runtime.open(bytes);
  for (const [text, [[, , logProbability, count]]] of texts("score")) {
    const { logProbability: found, tokens } = model.score(text);
    near(found, logProbability, 1e-3);
    assert.equal(tokens.length, Number(count));
    assert.equal(tokens.at(-1).text, "</s>");
  }
  for (const [text, lines] of texts("next")) {
    const state = model.start();
    state.extend(text);
    const words = state.next(lines.length);
    lines.forEach(([, , logProbability, word], i) => {
      assert.equal(words[i].text, word);
      near(words[i].logProbability, logProbability);
    });
    state.close();
  }
  for (const [text, lines] of texts("complete")) {
    const found = model.complete(text, { nBest: 4, lenpen: 1, maxLenB: 20 });
    lines.forEach(([, , score, added], i) => {
      assert.equal(found[i].text, added);
      near(found[i].score, score);
    });
  }
  model.close();
});

test("a state reads on word by word, and a copy goes its own way", () => {
  const model = runtime.open(bytes);
  const { tokens } = model.score("the zeti donu");
  const state = model.start();
  tokens.forEach(({ text, logProbability, ids }, i) => {
    assert.equal(state.length, i);
    const same = state.next(304).find((word) => word.ids[0] === ids[0]);
    near(same.logProbability, logProbability, 1e-5);
    if (i + 1 < tokens.length) {
      state.extendIds(ids);
      assert.notEqual(text, "</s>");
    }
  });
  const copy = state.copy();
  copy.extend("gesa");
  assert.equal(state.length, 3);
  assert.notDeepEqual(copy.next(5), state.next(5));
  const words = state.next(4, "zo");
  assert.equal(words.length, 4);
  assert.ok(words.every(({ text }) => text.startsWith("zo")));
  state.close();
  assert.equal(copy.length, 4);
  copy.close();
  model.close();
});

test("what is wrong with a language model's texts is said, and it goes on", () => {
  const model = runtime.open(bytes);
  const state = model.start();
  assert.throws(() => model.translate("the"), refused(/expected a translation model/));
  assert.throws(() => state.extendIds([5, 304]), refused(/304/));
  assert.throws(() => state.extend("the ".repeat(200)), refused(/at most 127/));
  assert.throws(() => state.extend("a\0b"), refused(/NUL/));
  assert.throws(() => state.next(0), refused(/count: expected at least 1/));
  assert.throws(() => state.next(2.5), refused(/count: expected at least 1/));
  assert.throws(() => model.complete("the", { beams: 2 }), refused(/option beams/));
  assert.equal(state.length, 0);
  assert.equal(state.next(2).length, 2);
  model.close();
  assert.throws(() => state.next(1), refused(/model is closed/));
  assert.throws(() => state.extend("the"), refused(/model is closed/));
  assert.throws(() => state.copy(), refused(/model is closed/));
  assert.throws(() => model.start(), refused(/model is null/));
  state.close();
  assert.equal(state.length, 0);
  const other = runtime.open(readFileSync(new URL("../../examples/tatoeba-160/balanced.ltz", here)));
  assert.throws(() => other.start(), refused(/expected a language model, found a translation model/));
  other.close();
});
