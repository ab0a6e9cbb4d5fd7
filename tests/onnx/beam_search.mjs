// Beam search over the two graphs, by the rules of model/decoding/beam_search.h.
import { kEos, kPad } from './text_codec.mjs';

// The `count` best tokens of a row, best first.
function bestTokens(scores, count, forbidden) {
  const best = [];
  scores.forEach((score, token) => {
    if (forbidden.includes(token) || (best.length === count && score <= best[count - 1].score)) {
      return;
    }
    let place = best.length;
    while (place > 0 && best[place - 1].score < score) {
      --place;
    }
    best.splice(place, 0, { token, score });
    best.length = Math.min(best.length, count);
  });
  return best;
}

// source: ids with </s>. Returns the ids of the best hypothesis, without </s>.
export async function beamSearch(model, source, { beam = 4, lenpen = 0.6, maxLength = 200 } = {}) {
  const encoded = await model.encode([source]);
  let beams = [{ tokens: [], score: 0 }];
  let memory = model.emptyMemory(1);
  const finished = [];
  for (let step = 0; finished.length < beam && beams.length > 0; ++step) {
    const read = beams.map(({ tokens }) => tokens.at(-1) ?? kEos);
    const { rows, memory: next } = await model.step(encoded, memory, read, step);
    const forbidden = step === 0 ? [kPad, kEos] : [kPad];
    const candidates = rows.flatMap((row, b) => {
      const tokens = step >= maxLength ? [{ token: kEos, score: row[kEos] }] : bestTokens(row, 2 * beam, forbidden);
      return tokens.map(({ token, score }) => ({ from: b, token, score: beams[b].score + score }));
    });
    candidates.sort((a, b) => b.score - a.score || a.from - b.from || a.token - b.token);
    const going = [];
    candidates.slice(0, 2 * beam).forEach(({ from, token, score }, place) => {
      const tokens = [...beams[from].tokens, token];
      if (token === kEos) {
        if (place < beam && finished.length < beam) {
          finished.push({ tokens: tokens.slice(0, -1), score: score / tokens.length ** lenpen });
        }
      } else if (going.length < beam) {
        going.push({ tokens, score, from });
      }
    });
    memory = model.keep(next, going.map(({ from }) => from));
    beams = going;
  }
  return finished.reduce((best, other) => (other.score > best.score ? other : best)).tokens;
}
