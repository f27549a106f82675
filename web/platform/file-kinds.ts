/** Says what a file is that is no GGUF file. */

/** Bytes at the beginning of a file that tell enough. */
export const START_BYTES = 512;

const UNPACK = 'unpack it first';

/** Kinds by their first bytes. */
const MAGIC: readonly (readonly [readonly number[], string])[] = [
  [[0x1f, 0x8b], `it is compressed with gzip; ${UNPACK}`],
  [[0x28, 0xb5, 0x2f, 0xfd], `it is compressed with zstd; ${UNPACK}`],
  [[0xfd, 0x37, 0x7a, 0x58, 0x5a], `it is compressed with xz; ${UNPACK}`],
  [[0x42, 0x5a, 0x68], `it is compressed with bzip2; ${UNPACK}`],
  [[0x37, 0x7a, 0xbc, 0xaf], `it is a 7z archive; ${UNPACK}`],
  [[0x50, 0x4b, 3, 4], 'it is a zip archive, or a PyTorch model; this package reads GGUF files'],
  [[0x6c, 0x6d, 0x67, 0x67], 'it is a GGML file from before GGUF; convert it again'],
  [[0x66, 0x6d, 0x67, 0x67], 'it is a GGML file from before GGUF; convert it again'],
  [[0x74, 0x6a, 0x67, 0x67], 'it is a GGML file from before GGUF; convert it again'],
];

/** Kinds by their first characters, without spaces and a byte order mark before them. */
const TEXTS: readonly (readonly [RegExp, string])[] = [
  [
    /^version https:\/\/git-lfs/,
    'it is a Git LFS pointer, which only names the file; fetch the file itself (git lfs pull, or the ' +
      'address with /resolve/ instead of /raw/)',
  ],
  [
    /^<(?:!doctype html|html|head|body|!--)/i,
    'it is a web page (HTML), perhaps a login or an error of the server',
  ],
  [/^<\?xml|^<[a-z]+/i, 'it is an XML text, perhaps an error of the server'],
  [/^[{[]/, 'it is a JSON text, perhaps an error of the server'],
];

/** What a file is that starts with these bytes; undefined: nothing that is known here. */
export function kindOf(bytes: Uint8Array): string | undefined {
  const magic = MAGIC.find(([start]) => start.every((byte, i) => bytes[i] === byte));
  if (magic) return magic[1];
  if (bytes.length >= 16 && bytes.every((byte) => byte === 0))
    return 'it begins with zeros: the file was not written, or not downloaded, completely';
  // a safetensors file has the length of its header, 8 bytes, and then JSON
  if (bytes[8] === 0x7b && bytes[6] === 0 && bytes[7] === 0)
    return 'it is a safetensors file; convert it to GGUF first';
  const text = new TextDecoder().decode(bytes).trimStart();
  const known = TEXTS.find(([pattern]) => pattern.test(text));
  if (known) return known[1];
  const line = /^[\x20-\x7e]{4,60}/.exec(text)?.[0];
  return line && `it is a text: "${line}"`;
}
