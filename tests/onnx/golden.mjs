// golden.mjs FOLDER...: runs the graphs of every folder on its golden.safetensors, each sentence alone and
// all of them in padded batches. Fails where a number differs by more than 1e-3.
import fs from 'node:fs';
import path from 'node:path';

import { Model } from './model.mjs';
import { kPad } from './text_codec.mjs';

const kTolerance = 1e-3;

function readSafetensors(file) {
  const bytes = fs.readFileSync(file);
  const begin = 8 + Number(bytes.readBigUInt64LE(0));
  const tensors = {};
  for (const [name, entry] of Object.entries(JSON.parse(bytes.toString('utf8', 8, begin)))) {
    const [first, last] = entry.data_offsets.map((offset) => bytes.byteOffset + begin + offset);
    const data = bytes.buffer.slice(first, last);
    tensors[name] = { shape: entry.shape, data: entry.dtype === 'I64' ? Array.from(new BigInt64Array(data), Number) : new Float32Array(data) };
  }
  return tensors;
}

// NaN is larger than any tolerance.
function difference(a, b) {
  const size = Math.abs(a - b) / Math.max(1, Math.abs(b));
  return Number.isNaN(size) ? Infinity : size;
}

// found: (batch, heads, …), padded; expected: (1, heads, …) of one of its sentences.
function compareHeads(found, expected, sentence) {
  let largest = 0;
  const [, heads, rows, columns] = expected.shape;
  const [, , foundRows, foundColumns] = found.dims;
  for (let h = 0; h < heads; ++h) {
    for (let r = 0; r < rows; ++r) {
      for (let c = 0; c < columns; ++c) {
        const value = found.data[((sentence * heads + h) * foundRows + r) * foundColumns + c];
        largest = Math.max(largest, difference(value, expected.data[(h * rows + r) * columns + c]));
      }
    }
  }
  return largest;
}

// One batch through encoder and decoder; sentences whose target has ended go on with padding.
async function compareBatch(model, golden, sentences) {
  let largest = 0;
  const tensor = (i, name) => golden[`${sentences[i]}.${name}`];
  const encoded = model.encoder ? await model.encode(sentences.map((_, i) => tensor(i, 'source_tokens').data)) : {};
  for (const name of Object.keys(encoded).filter((output) => output.startsWith('cross_'))) {
    sentences.forEach((_, i) => { largest = Math.max(largest, compareHeads(encoded[name], tensor(i, name), i)); });
  }
  const batch = model.fixed ? model.batch : sentences.length;
  let memory = model.emptyMemory(batch);
  const steps = Math.max(...sentences.map((_, i) => tensor(i, 'tokens').data.length));
  for (let step = 0; step < steps; ++step) {
    const read = Array.from({ length: batch }, (_, i) => (i < sentences.length ? tensor(i, 'tokens').data[step] : undefined) ?? kPad);
    const { rows, memory: next } = await model.step(encoded, memory, read, step);
    memory = next;
    sentences.forEach((_, i) => {
      const expected = tensor(i, model.scores);
      const width = expected.shape[1];
      if (step < expected.shape[0]) {
        expected.data.subarray(step * width, (step + 1) * width).forEach((value, token) => {
          largest = Math.max(largest, difference(rows[i][token], value));
        });
      }
    });
  }
  return largest;
}

async function check(folder) {
  const model = await Model.load(folder);
  const golden = readSafetensors(path.join(folder, 'golden.safetensors'));
  const count = Object.keys(golden).filter((name) => name.endsWith('.tokens')).length;
  const all = Array.from({ length: count }, (_, i) => i);
  const batches = all.map((i) => [i]);
  const together = model.fixed ? model.batch : count;
  for (let first = 0; first < count; first += together) {
    batches.push(all.slice(first, first + together));
  }
  let largest = 0;
  for (const batch of batches) {
    largest = Math.max(largest, await compareBatch(model, golden, batch));
  }
  const passed = count > 0 && largest <= kTolerance;
  console.log(`${passed ? 'ok    ' : 'FAILED'} ${path.basename(folder)}: ${count} sentences, largest difference ${largest.toExponential(1)}`);
  return passed;
}

let failed = 0;
for (const folder of process.argv.slice(2)) {
  failed += (await check(folder)) ? 0 : 1;
}
process.exit(failed === 0 ? 0 : 1);
