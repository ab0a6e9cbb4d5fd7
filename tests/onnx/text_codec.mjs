// Text <-> ids with the files of an exported folder: white space, byte-pair encoding, and back.
import fs from 'node:fs';
import path from 'node:path';

export const kPad = 1;
export const kEos = 2;
const kUnk = 3;

function lines(file) {
  return fs.readFileSync(file, 'utf8').split('\n').slice(0, -1);
}

export class TextCodec {
  constructor(folder) {
    this.words = lines(path.join(folder, 'target_vocabulary.txt'));
    this.ids = new Map(lines(path.join(folder, 'source_vocabulary.txt')).map((word, id) => [word, id]));
    const codes = path.join(folder, 'bpe.codes');
    this.ranks = fs.existsSync(codes) ? new Map(lines(codes).slice(1).map((pair, rank) => [pair, rank])) : null;
  }

  // With the final </s>.
  encode(line) {
    const subwords = line.split(/\s+/).filter((word) => word).flatMap((word) => this.split(word));
    return [...subwords.map((word) => this.ids.get(word) ?? kUnk), kEos];
  }

  decode(ids) {
    const words = ids.filter((id) => id !== kEos).map((id) => this.words[id]);
    return words.map((word, i) =>
      word.endsWith('@@') ? word.slice(0, -2) : word + (i + 1 < words.length ? ' ' : '')).join('');
  }

  // The subwords of one word (Sennrich et al. 2016).
  split(word) {
    if (this.ranks === null) {
      return [word];
    }
    let symbols = [...word];
    symbols[symbols.length - 1] += '</w>';
    for (;;) {
      const ranks = symbols.slice(1).map((right, i) => this.ranks.get(`${symbols[i]} ${right}`) ?? Infinity);
      const best = Math.min(Infinity, ...ranks);
      if (best === Infinity) {
        break;
      }
      const [left, right] = [symbols[ranks.indexOf(best)], symbols[ranks.indexOf(best) + 1]];
      const merged = [];
      for (let i = 0; i < symbols.length; ++i) {
        const found = symbols[i] === left && symbols[i + 1] === right;
        merged.push(found ? left + right : symbols[i]);
        i += found ? 1 : 0;
      }
      symbols = merged;
    }
    return symbols.map((symbol, i) =>
      i + 1 < symbols.length ? `${symbol}@@` : symbol.slice(0, -'</w>'.length));
  }
}
