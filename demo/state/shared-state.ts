/** A moment as a link: in, what brings a text about; out, the part of an address behind the #, or what such a part says. What comes from a link is data: it is checked, never run. */
import type { Chain } from './chain.js';
import { chainFrom, changedValues } from './chain.js';
import type { ModelInfo } from 'tokenglass';
import type { Root } from './tree.js';

export interface SharedState {
  /** The model's fingerprint and name. */
  readonly model: string;
  readonly name: string;
  readonly prompt: string;
  /** Where the prompt's tokens are not what its text gives. */
  readonly ids?: readonly number[];
  readonly chain: Chain;
  readonly seed: number;
  /** The tokens after the prompt, and which of them were not drawn (by place). */
  readonly path: readonly number[];
  readonly chosen: readonly number[];
}

/** A moment that is about to be opened, from a link or a trace, and the root that it gave the tree. */
export interface Opening {
  readonly moment: SharedState;
  readonly what: string;
  readonly root: Root;
}

/** Where a moment's tokens come from when they are not this model's; undefined when they are. */
export function foreign(
  { model, name, path, ids = [] }: SharedState,
  { fingerprint, n_vocab }: ModelInfo,
): string | undefined {
  if (model !== fingerprint) return `another model, ${name || 'without a name'}`;
  return [...path, ...ids].some((id) => id >= n_vocab) ? 'tokens that are none' : undefined;
}

/** As it is written: short names, since it stands in an address. */
interface Written {
  v: 1;
  m: string;
  n: string;
  p: string;
  i?: readonly number[];
  s: readonly string[];
  o: Readonly<Record<string, number | undefined>>;
  d: number;
  t: readonly number[];
  c: readonly number[];
}

const MOST_LINK = 100_000; // characters
const MOST_JSON = 2_000_000; // bytes
const KEY = 'moment=';

async function through(
  stream: CompressionStream | DecompressionStream,
  bytes: Uint8Array<ArrayBuffer>,
): Promise<Uint8Array> {
  const reader = new Blob([bytes]).stream().pipeThrough(stream).getReader();
  const parts: Uint8Array[] = [];
  let size = 0;
  for (let part = await reader.read(); !part.done; part = await reader.read()) {
    parts.push(part.value);
    size += part.value.length;
    if (size > MOST_JSON) {
      await reader.cancel();
      throw new Error('it is too long');
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

/** The part behind the # of an address. */
export async function encodeSharedState({
  model,
  name,
  prompt,
  ids,
  chain,
  seed,
  path,
  chosen,
}: SharedState): Promise<string> {
  const written: Written = {
    ...{ v: 1, m: model, n: name, p: prompt, ...(ids && { i: ids }) },
    ...{
      s: chain.places.filter(({ on }) => on).map((place) => place.name),
      o: changedValues(chain),
    },
    ...{ d: seed, t: path, c: chosen },
  };
  const bytes = await through(
    new CompressionStream('deflate-raw'),
    new TextEncoder().encode(JSON.stringify(written)),
  );
  return KEY + toBase64(bytes);
}

const isText = (value: unknown, most: number): value is string =>
  typeof value === 'string' && value.length <= most;
const isWhole = (value: unknown): value is number =>
  Number.isSafeInteger(value) && (value as number) >= 0;
const areWhole = (value: unknown): value is number[] =>
  Array.isArray(value) && value.length <= 100_000 && value.every(isWhole);
const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const wrong = (what: string) =>
  new Error(`This link cannot be used: ${what} is not as this page writes it.`);

/** What a link says; undefined when it is none of ours, an Error with the reason when it is broken. */
export async function decodeSharedState(hash: string): Promise<SharedState | undefined> {
  const text = hash.replace(/^#/, '');
  if (!text.startsWith(KEY)) return undefined;
  if (text.length > MOST_LINK) throw new Error('This link is too long to be one of ours.');
  let value: unknown;
  try {
    const bytes = await through(
      new DecompressionStream('deflate-raw'),
      fromBase64(text.slice(KEY.length)),
    );
    value = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch (cause) {
    throw new Error('This link cannot be read: it was cut or changed on its way.', { cause });
  }
  if (!isObject(value)) throw wrong('it');
  const { v, m, n, p, i, s, o, d, t, c } = value;
  if (v !== 1) throw wrong('its version');
  if (!isText(m, 64) || !isText(n, 200)) throw wrong('its model');
  if (!isText(p, MOST_JSON) || !(i === undefined || areWhole(i))) throw wrong('its prompt');
  if (!Array.isArray(s) || !isObject(o)) throw wrong('its settings');
  if (!isWhole(d)) throw wrong('its seed');
  if (!areWhole(t) || !areWhole(c)) throw wrong('its path of tokens');
  return {
    model: m,
    name: n,
    prompt: p,
    ...(i && { ids: i }),
    chain: chainFrom(s, o),
    seed: d,
    path: t,
    chosen: c,
  };
}
