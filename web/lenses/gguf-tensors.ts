/**
 * Where the tensors of a GGUF file are. Masks change the bytes of a file before the engine packs
 * them, so this reader finds only what that needs; the engine checks the file when it loads it.
 */
import { invalid } from '../types/arguments.js';

/** A tensor of a file. */
export interface FileTensor {
  /** Weights in a row, number of rows, and so on. */
  dims: number[];
  /** The number of its type in ggml. */
  type: number;
  /** Index of its first byte in the file. */
  start: number;
}

/** What a file says of itself. */
export interface FileTensors {
  architecture: string;
  tensors: Map<string, FileTensor>;
}

const STRING = 8;
const ARRAY = 9;
/** Bytes of a value by its type; 0 for strings and arrays. */
const SIZES = [1, 1, 2, 2, 4, 4, 4, 1, 0, 0, 8, 8, 8];

class FileReader {
  #position = 0;
  readonly #view: DataView;

  constructor(readonly bytes: Uint8Array) {
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  get position(): number {
    return this.#position;
  }

  skip(n: number): void {
    this.#position += n;
    if (this.#position > this.bytes.length) throw new RangeError('the file is too short');
  }

  u32(): number {
    this.skip(4);
    return this.#view.getUint32(this.#position - 4, true);
  }

  u64(): number {
    this.skip(8);
    return Number(this.#view.getBigUint64(this.#position - 8, true));
  }

  string(): string {
    const length = this.u64();
    this.skip(length);
    return new TextDecoder().decode(this.bytes.subarray(this.#position - length, this.#position));
  }

  /** A value of the type; undefined for one that is only passed over. */
  value(type: number): string | number | undefined {
    if (type === STRING) return this.string();
    if (type === 4) return this.u32();
    if (type !== ARRAY) return void this.skip(SIZES[type]!);
    const of = this.u32();
    const n = this.u64();
    if (of !== STRING && of !== ARRAY) return void this.skip(SIZES[of]! * n);
    for (let i = 0; i < n; i++) this.value(of);
    return undefined;
  }
}

/** Reads the header. Throws INVALID_ARGUMENT for what is no GGUF file of version 2 or 3. */
export function fileTensors(bytes: Uint8Array): FileTensors {
  const reader = new FileReader(bytes);
  try {
    if (reader.u32() !== 0x46554747) throw invalid('the file does not begin with GGUF');
    const version = reader.u32();
    if (version !== 2 && version !== 3) throw invalid(`the file has GGUF version ${version}`);
    const [n_tensors, n_keys] = [reader.u64(), reader.u64()];
    let [architecture, alignment] = ['', 32];
    for (let i = 0; i < n_keys; i++) {
      const key = reader.string();
      const value = reader.value(reader.u32());
      if (key === 'general.architecture') architecture = String(value);
      if (key === 'general.alignment') alignment = Number(value);
    }
    const tensors = new Map<string, FileTensor>();
    for (let i = 0; i < n_tensors; i++) {
      const name = reader.string();
      const dims = Array.from({ length: reader.u32() }, () => reader.u64());
      tensors.set(name, { dims, type: reader.u32(), start: reader.u64() });
    }
    const data = Math.ceil(reader.position / alignment) * alignment;
    for (const tensor of tensors.values()) tensor.start += data;
    return { architecture, tensors };
  } catch (error) {
    if (!(error instanceof RangeError || error instanceof TypeError)) throw error;
    throw invalid("the file's header is damaged", error);
  }
}
