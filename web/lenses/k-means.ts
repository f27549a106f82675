/** k-means: groups of rows of floats that are alike. The same seed gives the same groups. */
import { MAX_INT32, wholeNumber } from '../types/arguments.js';
import { randomNumbers } from '../types/random.js';

/** How to group rows. */
export interface KMeansOptions {
  /** How many groups. */
  k: number;
  /** 'cosine' compares directions: 1 minus the cosine. 'l2' is the squared distance. */
  distance: 'cosine' | 'l2';
  /** Chooses the first centres. */
  seed: number;
  /** Maximum number of times that all rows are assigned. */
  max_iterations: number;
}

/** Rows in groups. */
export interface KMeansResult {
  /** The group of each row, 0 to k - 1. */
  labels: Int32Array;
  /** Number of rows in each group; 0 only when there are fewer different rows than groups. */
  sizes: Int32Array;
  /** The centres, one after the other; for 'cosine' of length 1. */
  centres: Float32Array;
  /** The sum of the distances between the rows and the centres of their groups. */
  inertia: number;
  /** How often all rows were assigned. */
  iterations: number;
  /** Whether the last assignment changed nothing. */
  converged: boolean;
}

/** Rows that are assigned between two pauses take about this many multiplications. */
const PORTION = 2e7;

function dot(a: Float32Array, i: number, b: Float32Array, j: number, width: number): number {
  let sum = 0;
  for (let k = 0; k < width; k++) sum += a[i + k]! * b[j + k]!;
  return sum;
}

/** Scales a row to length 1; a row of zeros stays as it is. */
function normalize(rows: Float32Array, start: number, width: number): void {
  const length = Math.sqrt(dot(rows, start, rows, start, width));
  if (length > 0) for (let k = 0; k < width; k++) rows[start + k]! /= length;
}

class Groups {
  readonly n: number;
  readonly labels: Int32Array;
  readonly sizes: Int32Array;
  readonly centres: Float32Array;
  /** Of each row to the centre of its group. */
  readonly distances: Float64Array;
  readonly #rows: Float32Array;
  readonly #squares: Float64Array;

  constructor(
    rows: Float32Array,
    readonly width: number,
    readonly options: KMeansOptions,
  ) {
    this.n = rows.length / width;
    this.#rows = options.distance === 'cosine' ? rows.slice() : rows;
    if (options.distance === 'cosine')
      for (let i = 0; i < this.n; i++) normalize(this.#rows, i * width, width);
    this.#squares = Float64Array.from({ length: this.n }, (_, i) => this.#product(i, i));
    this.labels = new Int32Array(this.n);
    this.sizes = new Int32Array(options.k);
    this.centres = new Float32Array(options.k * width);
    this.distances = new Float64Array(this.n).fill(Infinity);
  }

  /** Of two rows. */
  #product(i: number, j: number): number {
    return dot(this.#rows, i * this.width, this.#rows, j * this.width, this.width);
  }

  /** The distance between a row and a centre, from their product and the centre's square. */
  #distance(row: number, product: number, square: number): number {
    if (this.options.distance === 'cosine') return 1 - product;
    return Math.max(this.#squares[row]! - 2 * product + square, 0);
  }

  #setCentre(group: number, row: number): void {
    const { width } = this;
    this.centres.set(this.#rows.subarray(row * width, (row + 1) * width), group * width);
  }

  /**
   * The first centres (k-means++): the first row at random, each further one with a probability in
   * proportion to its distance from the nearest centre so far.
   */
  *seed(): Generator<void> {
    const random = randomNumbers(this.options.seed);
    const share = () => random(2 ** 32) / 2 ** 32;
    const nearest = this.distances;
    let chosen = Math.min(Math.floor(share() * this.n), this.n - 1);
    for (let group = 0; group < this.options.k; group++) {
      this.#setCentre(group, chosen);
      const square = this.#squares[chosen]!;
      let total = 0;
      for (let i = 0; i < this.n; i++) {
        const distance = this.#distance(i, this.#product(i, chosen), square);
        if (distance < nearest[i]!) nearest[i] = Math.max(distance, 0);
        total += nearest[i]!;
      }
      let left = share() * total;
      for (chosen = 0; chosen < this.n - 1 && left >= nearest[chosen]!; chosen++)
        left -= nearest[chosen]!;
      if (group % Math.ceil(PORTION / (this.n * this.width)) === 0) yield;
    }
  }

  /** Gives each row to the nearest centre, of equals the first. Returns how many rows moved. */
  *assign(): Generator<void, number> {
    const { centres, labels, width } = this;
    const { k } = this.options;
    const squares = Float64Array.from({ length: k }, (_, c) =>
      dot(centres, c * width, centres, c * width, width),
    );
    const portion = Math.ceil(PORTION / (k * width));
    let moved = 0;
    for (let i = 0; i < this.n; i++) {
      let [best, least] = [0, Infinity];
      for (let c = 0; c < k; c++) {
        const product = dot(this.#rows, i * width, centres, c * width, width);
        const distance = this.#distance(i, product, squares[c]!);
        if (distance < least) [best, least] = [c, distance];
      }
      if (labels[i] !== best) moved++;
      labels[i] = best;
      this.distances[i] = least;
      if (i % portion === 0) yield;
    }
    return moved;
  }

  /** A group without rows gets the row farthest from its centre. Returns whether any did. */
  fillEmpty(): boolean {
    this.sizes.fill(0);
    for (const label of this.labels) this.sizes[label]!++;
    let filled = false;
    for (const [group, size] of this.sizes.entries()) {
      if (size > 0) continue;
      let farthest = -1;
      for (let i = 0; i < this.n; i++)
        if (
          this.sizes[this.labels[i]!]! > 1 &&
          this.distances[i]! > (this.distances[farthest] ?? 0)
        )
          farthest = i;
      if (farthest < 0) continue; // all rows are at the centres of their groups
      this.sizes[this.labels[farthest]!]!--;
      this.sizes[group] = 1;
      this.labels[farthest] = group;
      this.distances[farthest] = 0;
      filled = true;
    }
    return filled;
  }

  /** Moves the centres to the means of their groups. */
  update(): void {
    const { width } = this;
    const sums = new Float64Array(this.centres.length);
    for (let i = 0; i < this.n; i++) {
      const start = this.labels[i]! * width;
      for (let k = 0; k < width; k++) sums[start + k]! += this.#rows[i * width + k]!;
    }
    for (const [group, size] of this.sizes.entries()) {
      if (size === 0) continue;
      for (let k = 0; k < width; k++)
        this.centres[group * width + k] = sums[group * width + k]! / size;
      if (this.options.distance === 'cosine') normalize(this.centres, group * width, width);
    }
  }
}

/**
 * Groups rows of `width` floats, by Lloyd's steps from centres of k-means++. It pauses after each
 * portion of the work; its return value is the result.
 */
export function* kMeansSteps(
  rows: Float32Array,
  width: number,
  options: KMeansOptions,
): Generator<void, KMeansResult> {
  const n = wholeNumber(rows.length / width, 'the number of rows', 1, MAX_INT32);
  wholeNumber(options.k, 'k', 1, n);
  wholeNumber(options.max_iterations, 'max_iterations', 1, MAX_INT32);
  const groups = new Groups(rows, width, options);
  yield* groups.seed();
  groups.labels.fill(-1);
  let iterations = 0;
  let converged = false;
  while (iterations < options.max_iterations && !converged) {
    const moved = yield* groups.assign();
    iterations++;
    const filled = groups.fillEmpty();
    converged = moved === 0 && !filled;
    if (!converged) groups.update();
  }
  const { labels, sizes, centres, distances } = groups;
  const inertia = distances.reduce((sum, distance) => sum + distance, 0);
  return { labels, sizes, centres, inertia, iterations, converged };
}

/**
 * Groups rows of `width` floats that are alike: k-means by Lloyd's steps after k-means++.
 * The same seed gives the same groups. Throws INVALID_ARGUMENT for more groups than rows. Cost:
 * iterations * k * rows.length products in the calling thread.
 * @example
 * const words = await model.tokenize('cat dog red blue', { add_special: false });
 * const options = { k: 2, distance: 'cosine', seed: 1, max_iterations: 20 } as const;
 * const { labels } = kMeans(await model.outputRows(words), model.info.n_embd, options);
 */
export function kMeans(rows: Float32Array, width: number, options: KMeansOptions): KMeansResult {
  const steps = kMeansSteps(rows, width, options);
  for (;;) {
    const { done, value } = steps.next();
    if (done) return value;
  }
}
