// An exported folder in ONNX Runtime: the two graphs, of a language model only the decoder's, and what goes from one call to the next.
import fs from 'node:fs';
import path from 'node:path';
import { createRequire } from 'node:module';

import { kPad } from './text_codec.mjs';

// ONNXRUNTIME: the folder that node_modules with onnxruntime-node is in.
const ort = createRequire(path.join(path.resolve(process.env.ONNXRUNTIME), '/'))('onnxruntime-node');

const kOptions = { intraOpNumThreads: 1, interOpNumThreads: 1, logSeverityLevel: 3 };

function int64s(values, shape) {
  return new ort.Tensor('int64', BigInt64Array.from(values, BigInt), shape);
}

// Rows of the first dimension.
function pickRows(tensor, rows) {
  const size = tensor.data.length / tensor.dims[0];
  const data = new Float32Array(rows.length * size);
  rows.forEach((row, i) => data.set(tensor.data.subarray(row * size, (row + 1) * size), i * size));
  return new ort.Tensor('float32', data, [rows.length, ...tensor.dims.slice(1)]);
}

export class Model {
  static async load(folder) {
    const model = new Model();
    const encoder = path.join(folder, 'encoder.onnx');
    model.encoder = fs.existsSync(encoder) ? await ort.InferenceSession.create(encoder, kOptions) : null;
    model.decoder = await ort.InferenceSession.create(path.join(folder, 'decoder_step.onnx'), kOptions);
    model.scores = model.decoder.outputNames[0];
    [model.batch] = model.decoder.inputMetadata[0].shape;
    model.source = model.encoder?.inputMetadata[0].shape[1];
    return model;
  }

  // Whether the graphs have fixed lengths.
  get fixed() {
    return typeof this.batch === 'number';
  }

  // Sentences of different lengths in one padded batch; of a fixed batch, the rest is padding.
  async encode(sentences) {
    const batch = this.fixed ? this.batch : sentences.length;
    const length = this.fixed ? this.source : Math.max(...sentences.map((tokens) => tokens.length));
    const tokens = Array(batch * length).fill(kPad);
    sentences.forEach((sentence, i) => sentence.forEach((token, j) => { tokens[i * length + j] = token; }));
    return this.encoder.run({ source_tokens: int64s(tokens, [batch, length]) });
  }

  // Memories of that many sentences before the first step: zeros, and of no length where lengths vary.
  emptyMemory(batch) {
    const memory = {};
    for (const { name, shape } of this.decoder.inputMetadata) {
      if (name.startsWith('past_')) {
        const dims = shape.map((length) => (length === 'batch' ? batch : length === 'past' ? 0 : length));
        memory[name] = new ort.Tensor('float32', new Float32Array(dims.reduce((a, b) => a * b, 1)), dims);
      }
    }
    return memory;
  }

  // One step of all sentences: their tokens and the memories of the step before.
  // Returns the scores, a row a sentence, and the memories of the next step.
  async step(encoded, memory, tokens, position) {
    const inputs = { token: int64s(tokens, [tokens.length]), position: int64s([position], [1]), ...encoded, ...memory };
    const outputs = await this.decoder.run(inputs);
    const scores = outputs[this.scores];
    const next = {};
    for (const name of Object.keys(memory)) {
      next[name] = outputs[name.replace('past_', 'present_')];
    }
    const width = scores.dims[1];
    return { rows: tokens.map((_, i) => scores.data.subarray(i * width, (i + 1) * width)), memory: next };
  }

  // The memories of the sentences that go on.
  keep(memory, rows) {
    return Object.fromEntries(Object.entries(memory).map(([name, tensor]) => [name, pickRows(tensor, rows)]));
  }
}
