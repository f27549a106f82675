/** The last bytes of a download. What is received again must be the same. */

const CAPACITY = 64 * 1024; // bytes

export class Tail {
  readonly #bytes = new Uint8Array(CAPACITY); // byte i of the file is at i % CAPACITY
  #end = 0;

  /** How many bytes have been added. */
  get end(): number {
    return this.#end;
  }

  /** The first byte of the file that is kept. */
  get start(): number {
    return Math.max(0, this.#end - CAPACITY);
  }

  add(bytes: Uint8Array): void {
    const kept = bytes.subarray(-CAPACITY);
    const at = (this.#end + bytes.byteLength - kept.byteLength) % CAPACITY;
    const first = kept.subarray(0, CAPACITY - at);
    this.#bytes.set(first, at);
    this.#bytes.set(kept.subarray(first.byteLength), 0);
    this.#end += bytes.byteLength;
  }

  /** The first byte of the file, from `position` on, that differs; -1: none of those kept does. */
  difference(bytes: Uint8Array, position: number): number {
    const end = Math.min(this.#end, position + bytes.byteLength);
    for (let i = Math.max(this.start, position); i < end; i++)
      if (this.#bytes[i % CAPACITY] !== bytes[i - position]) return i;
    return -1;
  }
}
