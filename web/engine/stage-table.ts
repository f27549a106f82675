/**
 * The table of a choice: the probability of each token after each stage, for the tokens that get a
 * row, and summed up for all others. It is made beside the engine, from arrays over the whole
 * vocabulary, so that only the table crosses between threads.
 */
import { stages } from '../types/generated-stages.js';

/** A choice, by token id. */
export interface DenseChoice {
  logits: Float32Array;
  /** Before any stage. */
  p: Float64Array;
  /** After the last stage; defined where removed_by is -1. */
  p_final: Float64Array;
  /** The index of the stage that removed the token, or -1. */
  removed_by: Int8Array;
  /** For each stage the probabilities after the stage. */
  after: readonly Float64Array[];
  /** The drawn token. */
  drawn: number;
}

/** Which tokens get a row. */
export interface TableRequest {
  max_rows: number;
  /** Tokens that get a row in any case. */
  tokens: Int32Array;
}

/** A token in every column. removed_by is an index, or -1. */
export interface DenseRow {
  token: number;
  logit: number;
  p: number;
  p_final: number;
  removed_by: number;
  rank: number;
  after: number[];
}

/** The tokens without a row that one stage removed; removed_by -1: those that all stages kept. */
export interface DenseGroup {
  removed_by: number;
  n: number;
  p: number;
  after: number[];
}

export interface DenseTable {
  rows: DenseRow[];
  groups: DenseGroup[];
  /** In nats, after the last stage. */
  entropy_final: number;
}

/** Numbers that are added up before a sum takes them: the sum's rounding error stays small. */
const BLOCK = 1024;
/** A bucket for the tokens that each stage removed, for those that all kept, and for the rows. */
const MAX_BUCKETS = stages.length + 2;

/** The first `limit` of the tokens in the order of `compare`, in order. */
export function firstOf(
  tokens: ArrayLike<number>,
  limit: number,
  compare: (a: number, b: number) => number,
): number[] {
  const first: number[] = [];
  if (limit === 0) return first;
  const size = Math.max(2 * limit, 64);
  let last = -1; // of the first `limit` so far, when there are as many
  for (let i = 0; i < tokens.length; i++) {
    const token = tokens[i]!;
    if (last >= 0 && compare(last, token) < 0) continue;
    first.push(token);
    if (first.length < size) continue;
    first.sort(compare).length = limit;
    last = first[limit - 1]!;
  }
  return first.sort(compare).slice(0, limit);
}

/** For each of the values, how many of `all` are greater. */
export function ranksOf(values: readonly number[], all: Float32Array): number[] {
  const ascending = Float32Array.from(values).sort();
  const lowest = ascending[0] ?? Infinity;
  // how many of `all` are greater than exactly this many of the ascending values
  const counts = new Float64Array(ascending.length + 1);
  for (let i = 0; i < all.length; i++) {
    const x = all[i]!;
    if (!(x > lowest)) continue;
    let from = 1;
    let to = ascending.length;
    while (from < to) {
      const middle = (from + to) >> 1;
      if (x > ascending[middle]!) from = middle + 1;
      else to = middle;
    }
    counts[from]!++;
  }
  for (let i = counts.length - 1; i > 0; i--) counts[i - 1]! += counts[i]!;
  // of equal values the last one is greater than no other of them
  return values.map((value) => counts[ascending.lastIndexOf(Math.fround(value)) + 1]!);
}

/** Sums of one column, a sum for each bucket, over the tokens of the list. */
function sumsOf(column: Float64Array, buckets: Uint8Array, tokens: Int32Array): Float64Array {
  const sums = new Float64Array(MAX_BUCKETS);
  const block = new Float64Array(MAX_BUCKETS);
  for (let start = 0; start < tokens.length; start += BLOCK) {
    const end = Math.min(start + BLOCK, tokens.length);
    block.fill(0);
    for (let i = start; i < end; i++) {
      const token = tokens[i]!;
      block[buckets[token]!]! += column[token]!;
    }
    for (let bucket = 0; bucket < MAX_BUCKETS; bucket++) sums[bucket]! += block[bucket]!;
  }
  return sums;
}

/** The entropy in nats of these tokens' probabilities. */
export function entropyOf(p: Float64Array, tokens: Int32Array): number {
  let entropy = 0;
  for (let start = 0; start < tokens.length; start += BLOCK) {
    const end = Math.min(start + BLOCK, tokens.length);
    let block = 0;
    for (let i = start; i < end; i++) {
      const x = p[tokens[i]!]!;
      if (x > 0) block -= x * Math.log(x);
    }
    entropy += block;
  }
  return entropy + 0; // no negative zero
}

/** The tokens that get a row, in the order of the rows. */
function rowTokens(
  all: Int32Array,
  { logits, p_final, removed_by, drawn }: DenseChoice,
  { max_rows, tokens }: TableRequest,
): number[] {
  const final = (token: number) => (removed_by[token]! < 0 ? p_final[token]! : 0);
  const compare = (a: number, b: number) => final(b) - final(a) || logits[b]! - logits[a]! || a - b;
  const first = firstOf(all, max_rows, compare);
  return [...new Set([...first, drawn, ...tokens])].sort(compare);
}

/** Makes the table. The result has no views of the choice. */
export function tableOf(choice: DenseChoice, request: TableRequest): DenseTable {
  const { logits, p, p_final, removed_by, after } = choice;
  const n = logits.length;
  const all = new Int32Array(n);
  for (let id = 0; id < n; id++) all[id] = id;
  const tokens = rowTokens(all, choice, request);
  const ranks = ranksOf(
    tokens.map((token) => logits[token]!),
    logits,
  );
  const rows = tokens.map((token, i) => ({
    token,
    logit: logits[token]!,
    p: p[token]!,
    p_final: removed_by[token]! < 0 ? p_final[token]! : 0,
    removed_by: removed_by[token]!,
    rank: ranks[i]!,
    after: after.map((column) => column[token]!),
  }));

  const kept = after.length; // the bucket of the tokens that all stages kept
  const buckets = new Uint8Array(n);
  for (let id = 0; id < n; id++) buckets[id] = removed_by[id]! < 0 ? kept : removed_by[id]!;
  for (const token of tokens) buckets[token] = kept + 1;
  const counts = new Float64Array(MAX_BUCKETS);
  for (let id = 0; id < n; id++) counts[buckets[id]!]!++;

  const raw = sumsOf(p, buckets, all);
  let alive = all; // the tokens that the stages so far kept; their ids are moved to the front
  const sums = after.map((column, stage) => {
    let n_alive = 0;
    for (let i = 0; i < alive.length; i++) {
      const token = alive[i]!;
      if (removed_by[token] !== stage) alive[n_alive++] = token;
    }
    alive = alive.subarray(0, n_alive);
    return sumsOf(column, buckets, alive);
  });
  const groups = Array.from({ length: kept + 1 }, (_, bucket) => ({
    removed_by: bucket < kept ? bucket : -1,
    n: counts[bucket]!,
    p: raw[bucket]!,
    after: sums.map((sum) => sum[bucket]!),
  })).filter((group) => group.n > 0);
  return { rows, groups, entropy_final: entropyOf(p_final, alive) };
}
