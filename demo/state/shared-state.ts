/** A shared state: everything that brings a text about, as a part of an address. A link is
 *  untrusted data: this module checks it and never runs anything from it. */
import type { ModelInfo } from 'tokenglass';
import type { Chain, TokenBias } from './chain.js';
import { chainFrom, changedValues } from './chain.js';

export interface SharedState {
  /** The model's fingerprint. */
  readonly model: string;
  /** The model's name. */
  readonly name: string;
  /** The text up to the last typed token. */
  readonly prompt: string;
  /** The tokens of `prompt`, when they are not the tokens that its text gives. */
  readonly ids?: readonly number[];
  readonly chain: Chain;
  readonly seed: number;
  /** The tokens after the prompt. */
  readonly path: readonly number[];
  /** Indices in `path` of the tokens that the sampler did not draw with these settings. */
  readonly chosen: readonly number[];
}

/** Why the tokens of a shared state are not this model's, as the end of "comes from ..."; undefined
 *  when they are. */
export function foreignSource(
  { model, name, path, ids = [], chain }: SharedState,
  { fingerprint, n_vocab }: ModelInfo,
): string | undefined {
  if (model !== fingerprint) return `another model, ${name || 'without a name'}`;
  if ([...path, ...ids, ...Object.keys(chain.bias).map(Number)].some((id) => id >= n_vocab))
    return 'a model with more tokens than this one';
  return undefined;
}

/** The JSON in a link. Its names are short because it is part of an address. */
interface LinkJson {
  v: 1;
  /** model */
  m: string;
  /** name */
  n: string;
  /** prompt */
  p: string;
  /** ids */
  i?: readonly number[];
  /** stages that are on */
  s: readonly string[];
  /** option values that are not the defaults */
  o: Readonly<Record<string, number | undefined>>;
  /** bias by token; null is -Infinity */
  b?: Readonly<Record<string, number | null>>;
  /** seed */
  d: number;
  /** path */
  t: readonly number[];
  /** chosen */
  c: readonly number[];
}

const MAX_LINK_CHARS = 100_000;
const MAX_JSON_BYTES = 2_000_000;
const PREFIX = 'moment='; // every link begins with this; changing it breaks old links

/** Compresses or decompresses bytes. */
async function convert(
  stream: CompressionStream | DecompressionStream,
  bytes: Uint8Array<ArrayBuffer>,
): Promise<Uint8Array> {
  const reader = new Blob([bytes]).stream().pipeThrough(stream).getReader();
  const parts: Uint8Array[] = [];
  let size = 0;
  for (let part = await reader.read(); !part.done; part = await reader.read()) {
    parts.push(part.value);
    size += part.value.length;
    if (size > MAX_JSON_BYTES) {
      await reader.cancel();
      throw new Error('too long');
    }
  }
  return new Uint8Array(await new Blob(parts as BlobPart[]).arrayBuffer());
}

const toBase64 = (bytes: Uint8Array) =>
  btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(''))
    .replaceAll('+', '-')
    .replaceAll('/', '_')
    .replaceAll('=', '');
const fromBase64 = (text: string) =>
  Uint8Array.from(atob(text.replaceAll('-', '+').replaceAll('_', '/')), (char) =>
    char.charCodeAt(0),
  );

/** JSON has no -Infinity. */
const toJson = (bias: TokenBias) =>
  Object.fromEntries(Object.entries(bias).map(([id, x]) => [id, x === -Infinity ? null : x]));
const fromJson = (bias: Readonly<Record<string, unknown>>) =>
  Object.fromEntries(Object.entries(bias).map(([id, x]) => [id, x === null ? -Infinity : x]));

/** The part of an address after the #. */
export async function encodeSharedState(shared: SharedState): Promise<string> {
  const { chain, ids } = shared;
  const json: LinkJson = {
    v: 1,
    m: shared.model,
    n: shared.name,
    p: shared.prompt,
    ...(ids && { i: ids }),
    s: chain.stages.filter(({ on }) => on).map(({ name }) => name),
    o: changedValues(chain),
    ...(Object.keys(chain.bias).length > 0 && { b: toJson(chain.bias) }),
    d: shared.seed,
    t: shared.path,
    c: shared.chosen,
  };
  const bytes = await convert(
    new CompressionStream('deflate-raw'),
    new TextEncoder().encode(JSON.stringify(json)),
  );
  return PREFIX + toBase64(bytes);
}

const isText = (value: unknown, max: number): value is string =>
  typeof value === 'string' && value.length <= max;
const isCount = (value: unknown): value is number =>
  Number.isSafeInteger(value) && (value as number) >= 0;
const areCounts = (value: unknown): value is number[] =>
  Array.isArray(value) && value.length <= 100_000 && value.every(isCount);
const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const invalid = (what: string) =>
  new Error(`This link cannot be used: ${what} is not in the format of this page.`);

/** The shared state in a part of an address. undefined when the part is no link of this page; an
 *  Error with the reason when the link is broken. */
export async function decodeSharedState(hash: string): Promise<SharedState | undefined> {
  const text = hash.replace(/^#/, '');
  if (!text.startsWith(PREFIX)) return undefined;
  if (text.length > MAX_LINK_CHARS)
    throw new Error('This link is too long for a link of this page.');
  let value: unknown;
  try {
    const bytes = await convert(
      new DecompressionStream('deflate-raw'),
      fromBase64(text.slice(PREFIX.length)),
    );
    value = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch (cause) {
    throw new Error('This link is damaged: part of it is missing.', { cause });
  }
  if (!isObject(value)) throw invalid('its content');
  const { v, m, n, p, i, s, o, b, d, t, c } = value;
  if (v !== 1) throw invalid('its version');
  if (!isText(m, 64) || !isText(n, 200)) throw invalid('its model');
  if (!isText(p, MAX_JSON_BYTES) || !(i === undefined || areCounts(i))) throw invalid('its prompt');
  if (!Array.isArray(s) || !isObject(o)) throw invalid('its settings');
  if (!isCount(d)) throw invalid('its seed');
  if (!areCounts(t) || !areCounts(c)) throw invalid('its path of tokens');
  return {
    model: m,
    name: n,
    prompt: p,
    ...(i && { ids: i }),
    chain: chainFrom(s, o, isObject(b) ? fromJson(b) : {}),
    seed: d,
    path: t,
    chosen: c,
  };
}
