/** Files whose weights are 0 where a mask says so: subnetworks of a model. */
import { arrayType, bytesOf, invalid, reading, unsupported } from '../types/arguments.js';
import { shown, typed } from '../types/errors.js';
import type { WeightMask, WeightMasks } from '../types/types.js';
import { fileTensors } from './gguf-tensors.js';
import type { FileTensor } from './gguf-tensors.js';

/** The weight types in which 0 is exact and no other weight changes with it, by number in ggml. */
const TYPES = new Map([
  [0, { name: 'F32', block: 1, bytes: 4, scale: 0 }],
  [1, { name: 'F16', block: 1, bytes: 2, scale: 0 }],
  [30, { name: 'BF16', block: 1, bytes: 2, scale: 0 }],
  [8, { name: 'Q8_0', block: 32, bytes: 34, scale: 2 }], // a scale, then a code for each weight
]);

/** The matrices of a layer that masks are for: as the published masks name them, as files do. */
const MATRICES = [
  ['attn.c_attn', 'attn_qkv'],
  ['attn.c_proj', 'attn_output'],
  ['mlp.c_fc', 'ffn_up'],
  ['mlp.c_proj', 'ffn_down'],
] as const;

/** A name of a mask: the tensor, and whether the mask has a row for each input. */
function tensorOf(name: string): { tensor: string; by_input: boolean } | undefined {
  const [, layer, matrix] = /^(?:transformer\.h|blk)\.(\d+)\.([\w.]+)\.weight$/.exec(name) ?? [];
  const by_input = name.startsWith('transformer.');
  const found = MATRICES.find((names) => names[by_input ? 0 : 1] === matrix);
  return found && { tensor: `blk.${layer}.${found[1]}.weight`, by_input };
}

/** A mask, checked against the matrix. */
function checkMask(name: string, mask: unknown, rows: number, columns: number): Uint8Array {
  return reading(name, () => {
    if (typeof mask !== 'object' || mask === null)
      throw invalid(`${name} is ${typed(mask)}; it must be a mask: { shape, kept }`);
    const { shape, kept } = mask as WeightMask;
    if (!Array.isArray(shape) || shape.length !== 2 || shape[0] !== rows || shape[1] !== columns)
      throw invalid(`${name} has the shape ${shown(shape)}; the matrix is ${rows} by ${columns}`);
    if (arrayType(kept) !== 'Uint8Array' || kept.length !== rows * columns)
      throw invalid(`${name}: kept must be a Uint8Array of ${rows * columns} elements`);
    if (kept.some((value) => value > 1))
      throw invalid(`${name}: kept has a number that is neither 0 nor 1`);
    return kept;
  });
}

/** Makes the weights of a tensor 0 for which `kept(row, column)` is false. */
function maskTensor(
  bytes: Uint8Array,
  name: string,
  { dims, type, start }: FileTensor,
  kept: (row: number, column: number) => boolean,
): void {
  const format = TYPES.get(type);
  if (!format) {
    const names = [...TYPES.values()].map((each) => each.name).join(', ');
    throw unsupported(
      `masks are exact only for ${names}; the weights of ${name} are of type ${type} of ggml`,
    );
  }
  const { block, bytes: blockBytes, scale } = format;
  const [columns = 0, rows = 0] = dims;
  const weight = (blockBytes - scale) / block; // bytes of one
  const rowBytes = (columns / block) * blockBytes;
  if (start + rows * rowBytes > bytes.length) throw invalid(`the file ends within ${name}`);
  for (let row = 0; row < rows; row++)
    for (let column = 0; column < columns; column++) {
      if (kept(row, column)) continue;
      const inBlock = column % block;
      const at = start + row * rowBytes + ((column - inBlock) / block) * blockBytes;
      bytes.fill(0, at + scale + inBlock * weight, at + scale + (inBlock + 1) * weight);
    }
}

/**
 * A copy of a GGUF file of the architecture gpt2 whose weights are 0 where the masks say so: load
 * the copy as any file. Embeddings, norms and biases stay. Throws INVALID_ARGUMENT for a mask of
 * another name or shape, and OPTION_UNSUPPORTED for other architectures and for weight types other
 * than F32, F16, BF16 and Q8_0, in which a 0 would change other weights or not be exact.
 * @example
 * const answer = await fetch('https://example.org/gpt2.f16.gguf');
 * const empty = await loadModel(maskWeights(await answer.arrayBuffer(), 'empty'));
 */
export function maskWeights(file: Uint8Array | ArrayBuffer, masks: WeightMasks): Uint8Array {
  const given = bytesOf(file, 'the file');
  if (!given)
    throw invalid(`the file is ${typed(file)}; it must be a Uint8Array or an ArrayBuffer`);
  const { architecture, tensors } = fileTensors(given);
  if (architecture !== 'gpt2')
    throw unsupported(`masks are for files of the architecture gpt2; this is ${architecture}`);
  const bytes = new Uint8Array(given);
  if (masks === 'empty') {
    for (const [name, tensor] of tensors)
      if (tensorOf(name)) maskTensor(bytes, name, tensor, () => false);
    return bytes;
  }
  const entries = reading('masks', () => {
    if (typeof masks !== 'object' || masks === null)
      throw invalid(`masks is ${typed(masks)}; it must be 'empty' or an object with masks`);
    return Object.entries(masks);
  });
  for (const [name, mask] of entries) {
    const found = tensorOf(name);
    const tensor = found && tensors.get(found.tensor);
    if (!found || !tensor) throw invalid(`the file has no matrix for the mask ${shown(name)}`);
    const [columns = 0, rows = 0] = tensor.dims;
    const kept = found.by_input
      ? checkMask(name, mask, columns, rows)
      : checkMask(name, mask, rows, columns);
    maskTensor(bytes, found.tensor, tensor, (row, column) =>
      Boolean(kept[found.by_input ? column * rows + row : row * columns + column]),
    );
  }
  return bytes;
}
