/** Runs a text on a session and reports what happens inside the model. */
import { TokenglassError } from '../types/errors.js';
import type {
  ModelInfo,
  Observation,
  ObservedAttention,
  ObservedHeadOutputs,
  ObservedLens,
} from '../types/types.js';
import type { CallMemory, Engine } from './engine.js';
import { readAll } from './engine.js';
import { OBSERVATION_BYTES } from './generated-boundary.js';
import type { LayerRecord } from './generated-boundary.js';
import type { Scheduler } from './scheduler.js';
import type { Sessions } from './sessions.js';
import type { Vocabulary } from './vocabulary.js';

/** Numbers in ascending order, or all that there are. */
export type Numbers = number[] | 'all';

/** What to observe, checked as far as the caller's thread can. */
export interface ObserveRequest {
  logits?: Numbers;
  lens?: { layers: Numbers; positions: Numbers; top_n: number; targets: Int32Array };
  residuals?: { layers: Numbers; positions: Numbers };
  attention?: { layers: Numbers; heads: Numbers; queries: Numbers };
  head_outputs?: { layers: Numbers; heads: Numbers; positions: Numbers };
  max_bytes: number;
}

const WORD_BYTES = 4; // of every number in a result
const PORTION_BYTES = 2 ** 23; // of the engine's memory that the results of one batch may take

/**
 * An array of a result: [outer][positions][inner] words. The engine fills it for the positions of
 * one batch at a time.
 */
class Part {
  readonly outer: number;
  readonly positions: number[];
  readonly inner: number;
  #words: Int32Array<ArrayBuffer> | undefined;

  constructor(outer: number, positions: number[], inner: number) {
    this.outer = outer;
    this.positions = positions;
    this.inner = inner;
  }

  get length(): number {
    return this.outer * this.positions.length * this.inner;
  }

  get words(): Int32Array<ArrayBuffer> {
    return (this.#words ??= new Int32Array(this.length));
  }

  get floats(): Float32Array<ArrayBuffer> {
    return new Float32Array(this.words.buffer);
  }

  /** The index of the first position at `at` or after. */
  indexOf(at: number): number {
    const index = this.positions.findIndex((position) => position >= at);
    return index < 0 ? this.positions.length : index;
  }

  /** Every n-th word from `first` on, of pairs and the like. */
  every(n: number, first: number): Int32Array<ArrayBuffer> {
    const { words } = this;
    return Int32Array.from({ length: words.length / n }, (_, i) => words[i * n + first]!);
  }
}

/** The arrays of all results, and the lists that they belong to. */
interface Plan {
  parts: { [name: string]: Part };
  lens?: { layers: number[]; positions: number[]; top_n: number; targets: Int32Array };
  residuals?: { layers: number[]; positions: number[] };
  attention?: { layers: number[]; heads: number[]; queries: number[] };
  head_outputs?: { layers: number[]; heads: number[]; positions: number[]; head_dim: number };
  n_keys: number;
}

/** The numbers of a list, which must be among start to end - 1; 'all': all of these. */
function numbers(list: Numbers, name: string, start: number, end: number): number[] {
  if (list === 'all') return Array.from({ length: end - start }, (_, i) => start + i);
  for (const number of list)
    if (number < start || number >= end)
      throw new TokenglassError(
        name.includes('position') || name.includes('quer')
          ? 'POSITION_OUT_OF_RANGE'
          : 'INVALID_ARGUMENT',
        `${name}: ${number} is not among ${start} to ${end - 1}`,
      );
  return list;
}

const asFloats = (words: Int32Array<ArrayBuffer>) => new Float32Array(words.buffer);

/** Every buffer of a result, to be moved to another thread. */
export function buffersOfObservation(seen: Observation): ArrayBuffer[] {
  const { logits, residuals, attention, head_outputs, lens } = seen;
  const arrays: (Float32Array | Int32Array | undefined)[] = [
    ...[logits, residuals, attention, head_outputs, lens?.entropy].map((part) => part?.values),
    ...[lens?.top.tokens, lens?.top.logprobs, lens?.target.logprobs, lens?.target.ranks],
  ];
  return arrays.flatMap((array) => (array ? [array.buffer as ArrayBuffer] : []));
}

export class Observing {
  readonly #engine: Engine;
  readonly #scheduler: Scheduler;
  readonly #sessions: Sessions;
  readonly #vocabulary: Vocabulary;
  readonly #info: ModelInfo;
  #layers: LayerRecord[] | undefined;

  constructor(
    engine: Engine,
    scheduler: Scheduler,
    sessions: Sessions,
    vocabulary: Vocabulary,
    info: ModelInfo,
  ) {
    this.#engine = engine;
    this.#scheduler = scheduler;
    this.#sessions = sessions;
    this.#vocabulary = vocabulary;
    this.#info = info;
  }

  /** Appends the tokens to a session. After an error or an abort the session is as it was. */
  async observe(
    number: number,
    ids: Int32Array,
    request: ObserveRequest,
    signal: AbortSignal,
  ): Promise<Observation> {
    const before = this.#sessions.length(number);
    const { n_ctx } = this.#info;
    if (ids.length === 0)
      throw new TokenglassError('SESSION_EMPTY', 'a text without tokens shows nothing');
    if (ids.length > n_ctx - before)
      throw new TokenglassError(
        'CONTEXT_FULL',
        `${ids.length} more tokens do not fit: ${before} of ${n_ctx} positions are taken`,
      );
    for (const id of new Set(ids)) this.#vocabulary.token(id);
    const plan = this.#plan(request, before, before + ids.length);
    await this.#sessions.whenReady(number, signal, () => undefined);
    this.#sessions.sync(number, Int32Array.from([...this.#sessions.tokens(number), ...ids]));
    try {
      while (this.#sessions.pending(number) > 0) {
        await this.#scheduler.yieldIfDue(signal);
        await this.#scheduler.runBatch(signal, () => this.#runPortion(number, plan));
      }
    } catch (error) {
      if (!this.#engine.crashed && this.#sessions.has(number))
        this.#sessions.rewind(number, before);
      throw error;
    }
    return { tokens: Array.from(ids), first: before, ...this.#results(plan) };
  }

  /** The layers in which attention or the heads' outputs can be observed. */
  #attentionLayers(list: Numbers, name: string): number[] {
    this.#layers ??= readAll((index) => this.#engine.modelGetLayer(index));
    const all = numbers(list, `${name}.layers`, 0, this.#layers.length);
    if (list !== 'all') return all; // the engine refuses those that have no attention
    const found = all.filter((layer) => this.#layers![layer]!.n_head_kv > 0);
    if (found.length > 0) return found;
    throw new TokenglassError('OPTION_UNSUPPORTED', `${name}: no layer of the model has attention`);
  }

  /** Plans the arrays; refuses those that are larger than max_bytes together. */
  #plan(request: ObserveRequest, first: number, end: number): Plan {
    const { n_vocab, n_embd, n_layer, n_head } = this.#info;
    const positions = (list: Numbers, name: string) => numbers(list, name, first, end);
    const boundaries = (list: Numbers, name: string) => numbers(list, name, 0, n_layer + 1);
    const heads = (list: Numbers, name: string) => numbers(list, name, 0, n_head);
    const plan: Plan = { parts: {}, n_keys: end };
    const { logits, lens, residuals, attention, head_outputs } = request;
    if (logits) plan.parts.logits = new Part(1, positions(logits, 'logits: positions'), n_vocab);
    if (lens) {
      const layers = boundaries(lens.layers, 'lens.layers');
      const at = positions(lens.positions, 'lens.positions');
      plan.lens = { ...lens, layers, positions: at };
      plan.parts.entropies = new Part(layers.length, at, 1);
      plan.parts.tops = new Part(layers.length, at, 2 * lens.top_n);
      plan.parts.scores = new Part(layers.length, at, 2 * lens.targets.length);
    }
    if (residuals) {
      const layers = boundaries(residuals.layers, 'residuals.layers');
      const at = positions(residuals.positions, 'residuals.positions');
      plan.residuals = { layers, positions: at };
      plan.parts.residuals = new Part(layers.length, at, n_embd);
    }
    if (attention) {
      plan.attention = {
        layers: this.#attentionLayers(attention.layers, 'attention'),
        heads: heads(attention.heads, 'attention.heads'),
        queries: positions(attention.queries, 'attention.queries'),
      };
      const { layers, queries } = plan.attention;
      const outer = layers.length * plan.attention.heads.length;
      plan.parts.attention = new Part(outer, queries, end);
    }
    if (head_outputs) {
      const layers = this.#attentionLayers(head_outputs.layers, 'head_outputs');
      const which = heads(head_outputs.heads, 'head_outputs.heads');
      const at = positions(head_outputs.positions, 'head_outputs.positions');
      const head_dim = this.#layers![layers[0]!]?.head_dim ?? 0;
      plan.head_outputs = { layers, heads: which, positions: at, head_dim };
      plan.parts.outputs = new Part(layers.length * which.length, at, head_dim);
    }
    checkBytes(plan, request.max_bytes);
    return plan;
  }

  /** Runs one batch and takes over its results. */
  #runPortion(number: number, plan: Plan): void {
    const parts = Object.values(plan.parts);
    const bytes = WORD_BYTES * parts.reduce((sum, part) => sum + part.outer * part.inner, 0);
    const fit = Math.max(Math.floor(PORTION_BYTES / Math.max(bytes, 1)), 1);
    const max_tokens = Math.min(this.#scheduler.scorePortion, fit);
    const session = this.#sessions.address(number);
    const { first, n } = this.#engine.sessionNextBatch({ session, max_tokens });
    this.#engine.withMemory((memory) => {
      const written = Object.entries(plan.parts).map(([name, part]) => {
        const start = part.indexOf(first);
        const count = part.indexOf(first + n) - start;
        const size = part.outer * count * part.inner;
        return { name, part, start, count, size, address: memory.alloc(size * WORD_BYTES) };
      });
      const at = (name: string) => written.find((entry) => entry.name === name)?.address ?? 0;
      const observation = this.#write(plan, first, n, at, memory);
      this.#scheduler.measureScoring(n, () =>
        this.#engine.sessionObserve({ session, observation, max_tokens }),
      );
      for (const { part, start, count, size, address } of written) {
        const words = this.#engine.int32s(address, size);
        const row = count * part.inner;
        for (let i = 0; i < part.outer; i++)
          part.words.set(
            words.subarray(i * row, (i + 1) * row),
            (i * part.positions.length + start) * part.inner,
          );
      }
    });
  }

  /** Writes what the batch with positions `first` to first + n - 1 is asked for. */
  #write(
    plan: Plan,
    first: number,
    n: number,
    at: (name: string) => number,
    memory: CallMemory,
  ): number {
    const inBatch = (list: readonly number[] = []) => {
      const part = list.filter((position) => position >= first && position < first + n);
      return { list: memory.int32s(part), n: part.length };
    };
    const whole = (list: ArrayLike<number> = []) => ({ list: memory.int32s(list), n: list.length });
    const logits = inBatch(plan.parts.logits?.positions);
    const residuals = inBatch(plan.residuals?.positions);
    const lens = inBatch(plan.lens?.positions);
    const queries = inBatch(plan.attention?.queries);
    const outputs = inBatch(plan.head_outputs?.positions);
    const lists = {
      residual_layers: whole(plan.residuals?.layers),
      lens_layers: whole(plan.lens?.layers),
      lens_targets: whole(plan.lens?.targets),
      attention_layers: whole(plan.attention?.layers),
      attention_heads: whole(plan.attention?.heads),
      output_layers: whole(plan.head_outputs?.layers),
      output_heads: whole(plan.head_outputs?.heads),
    };
    const address = memory.alloc(OBSERVATION_BYTES);
    this.#engine.writeObservation(address, {
      logit_positions: logits.list,
      logits: at('logits'),
      residual_layers: lists.residual_layers.list,
      residual_positions: residuals.list,
      residuals: at('residuals'),
      lens_layers: lists.lens_layers.list,
      lens_positions: lens.list,
      lens_targets: lists.lens_targets.list,
      lens_tops: at('tops'),
      lens_entropies: at('entropies'),
      lens_scores: at('scores'),
      attention_layers: lists.attention_layers.list,
      attention_heads: lists.attention_heads.list,
      attention_queries: queries.list,
      attention: at('attention'),
      output_layers: lists.output_layers.list,
      output_heads: lists.output_heads.list,
      output_positions: outputs.list,
      outputs: at('outputs'),
      n_logit_positions: logits.n,
      n_residual_layers: lists.residual_layers.n,
      n_residual_positions: residuals.n,
      n_lens_layers: lists.lens_layers.n,
      n_lens_positions: lens.n,
      n_lens_targets: lists.lens_targets.n,
      lens_top_n: plan.lens?.top_n ?? 0,
      n_attention_layers: lists.attention_layers.n,
      n_attention_heads: lists.attention_heads.n,
      n_attention_queries: queries.n,
      n_keys: plan.n_keys,
      n_output_layers: lists.output_layers.n,
      n_output_heads: lists.output_heads.n,
      n_output_positions: outputs.n,
    });
    return address;
  }

  #results({ parts, lens, residuals, attention, head_outputs, n_keys }: Plan) {
    const { n_vocab, n_embd } = this.#info;
    const sizes = (lists: readonly { length: number }[], ...rest: number[]) => [
      ...lists.map(({ length }) => length),
      ...rest,
    ];
    const seen: Partial<Observation> = {};
    if (parts.logits) {
      const { positions, floats } = parts.logits;
      seen.logits = { values: floats, shape: [positions.length, n_vocab], positions };
    }
    if (lens) seen.lens = lensResult(parts, lens);
    if (residuals) {
      const { layers, positions } = residuals;
      const shape = sizes([layers, positions], n_embd);
      seen.residuals = { values: parts.residuals!.floats, shape, layers, positions };
    }
    if (attention) {
      const { layers, heads, queries } = attention;
      const shape = sizes([layers, heads, queries], n_keys);
      const values = parts.attention!.floats;
      seen.attention = { values, shape, layers, heads, queries } satisfies ObservedAttention;
    }
    if (head_outputs) {
      const { layers, heads, positions, head_dim } = head_outputs;
      const shape = sizes([layers, heads, positions], head_dim);
      const values = parts.outputs!.floats;
      seen.head_outputs = {
        values,
        shape,
        layers,
        heads,
        positions,
      } satisfies ObservedHeadOutputs;
    }
    return seen;
  }
}

function checkBytes({ parts }: Plan, max_bytes: number): void {
  const sizes = Object.entries(parts).map(([name, { length }]) => ({
    name,
    bytes: WORD_BYTES * length,
  }));
  const bytes = sizes.reduce((sum, size) => sum + size.bytes, 0);
  if (bytes <= max_bytes) return;
  const listed = sizes.map((size) => `${size.name} ${size.bytes}`).join(', ');
  throw new TokenglassError(
    'OUT_OF_MEMORY',
    `the results would take ${bytes} bytes (${listed}); max_bytes is ${max_bytes}`,
  );
}

function lensResult(parts: Plan['parts'], lens: NonNullable<Plan['lens']>): ObservedLens {
  const { layers, positions, top_n } = lens;
  const targets = Array.from(lens.targets);
  const shape = [layers.length, positions.length];
  return {
    layers,
    positions,
    targets,
    entropy: { values: parts.entropies!.floats, shape },
    top: {
      tokens: parts.tops!.every(2, 0),
      logprobs: asFloats(parts.tops!.every(2, 1)),
      shape: [...shape, top_n],
    },
    target: {
      logprobs: asFloats(parts.scores!.every(2, 0)),
      ranks: parts.scores!.every(2, 1),
      shape: [...shape, targets.length],
    },
  };
}
