/** Keeps the first bytes of a source, to say what a file is that is no GGUF file. */
import { START_BYTES, kindOf } from '../platform/file-kinds.js';
import type { ByteSource } from '../platform/sources.js';
import { TokenglassError, messageOf } from '../types/errors.js';

export class FileStart {
  readonly #source: ByteSource;
  readonly #bytes = new Uint8Array(START_BYTES);
  #length = 0;

  constructor(source: ByteSource) {
    this.#source = source;
  }

  /** The next bytes of the source. */
  async pull(stagingBuffer: Uint8Array<ArrayBuffer>): Promise<Uint8Array | undefined> {
    const chunk = await this.#source.pull(stagingBuffer);
    if (chunk && this.#length < START_BYTES) {
      const kept = chunk.subarray(0, START_BYTES - this.#length);
      this.#bytes.set(kept, this.#length);
      this.#length += kept.byteLength;
    }
    return chunk;
  }

  /** The error with what the file is instead of a GGUF file, where the error is about that. */
  async explain(error: unknown): Promise<unknown> {
    if (!(error instanceof TokenglassError)) return error;
    const { code, offset } = error;
    const message = messageOf(error);
    if (code === 'GGUF_TRUNCATED' && this.#length === 0)
      return new TokenglassError(code, `the file is empty: ${message}`, { offset });
    if (code !== 'GGUF_BAD_MAGIC') return error;
    const kind = kindOf(await this.#start());
    return kind ? new TokenglassError(code, `${message}: ${kind}`, { offset }) : error;
  }

  /** As many of the first bytes as are needed to tell; the source may give them one by one. */
  async #start(): Promise<Uint8Array> {
    try {
      const buffer = new Uint8Array(START_BYTES);
      while (this.#length < START_BYTES / 8 && (await this.pull(buffer)));
    } catch {
      // what is there must do
    }
    return this.#bytes.subarray(0, this.#length);
  }
}
