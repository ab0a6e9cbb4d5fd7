// translate.mjs FOLDER MAX_LENGTH: standard input to standard output, one sentence a line, as `ltz translate` does it.
import fs from 'node:fs';

import { beamSearch } from './beam_search.mjs';
import { Model } from './model.mjs';
import { TextCodec } from './text_codec.mjs';

const [folder, maxLength] = process.argv.slice(2);
const model = await Model.load(folder);
const codec = new TextCodec(folder);
for (const line of fs.readFileSync(0, 'utf8').split('\n').slice(0, -1)) {
  const tokens = await beamSearch(model, codec.encode(line), { maxLength: Number(maxLength) });
  console.log(codec.decode(tokens));
}
