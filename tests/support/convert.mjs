// Converts a GGUF file to another weight type: takes the file's bytes and the type's name, returns
// the bytes of a file with the same keys. Vectors stay as they are, and so do matrices whose rows
// are not a multiple of the block size, as in every quantizer.
//   node tests/support/convert.mjs FROM TYPE TO
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { readGguf } from './gguf-reader.mjs';
import { encodeTensor, writeGguf } from './gguf-writer.mjs';
import { TYPES } from './types.mjs';

export function convertGguf(bytes, type) {
  const file = readGguf(bytes);
  const { elements } = TYPES[type];
  if (elements > 32) throw new Error(`the tests have no quantizer for ${type}`);
  const tensors = file.names.map((name) => {
    const dims = file.dims(name);
    const chosen = dims.length > 1 && dims[0] % elements === 0 ? type : file.type(name);
    return { name, type: chosen, dims, bytes: encodeTensor(chosen, file.tensor(name)) };
  });
  return writeGguf({ keys: file.keys, n_kv: file.n_kv, tensors });
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const [from, type, to] = process.argv.slice(2);
  writeFileSync(to, convertGguf(readFileSync(from), type));
}
