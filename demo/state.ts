/** The page's state and what can be done with it: in, the user's wishes; out, signals that the views read. One session at a time; work is done in order. */
import { batch, computed, signal } from '@preact/signals';
import type { Candidate, Model, SamplerOptions, Session, StageName, StageOptionName, StepTrace } from '../web/index.js';
import { stages } from '../web/index.js';
import { name as nameOf } from './visible.js';

export type Phase = 'loading' | 'ready' | 'ended' | 'full' | 'failed';

/** A token of the text: what it adds and how it was drawn. */
export interface Made {
  token: number;
  text: string;
  bytes: Uint8Array;
  logprob: number;
}

/** A slider for an option of a stage, with the range that is useful to a hand. */
export interface Setting {
  name: SettingName;
  stage: StageName;
  label: string;
  min: number;
  max: number;
  step: number;
  /** What the neutral value does. */
  hint: string;
  /** Shown at once: the stages that work by default. */
  first: boolean;
}

export type SettingName = StageOptionName;

type Range = [label: string, min: number, max: number, step: number, hint: string];

const FIRST: Partial<Record<SettingName, Range>> = {
  top_k: ['top-k', 0, 200, 1, 'keeps that many; 0 keeps all'],
  top_p: ['top-p', 0, 1, 0.005, 'keeps the top tokens up to that mass; 1 keeps all'],
  min_p: ['min-p', 0, 0.5, 0.005, 'keeps what is at least so many times as probable as the top one; 0 keeps all'],
  temperature: ['temperature', 0, 2, 0.01, '0 always takes the most probable, 1 changes nothing'],
};

const MORE: Partial<Record<SettingName, Range>> = {
  penalty_repeat: ['repeat penalty', 1, 2, 0.01, 'divides the logits of recent tokens; 1 is off'],
  penalty_freq: ['frequency penalty', 0, 2, 0.01, 'taken off for each time a token stands there; 0 is off'],
  penalty_present: ['presence penalty', 0, 2, 0.01, 'taken off once; 0 is off'],
  penalty_last_n: ['penalty window', -1, 256, 1, 'how many tokens count as recent; -1: all'],
  dry_multiplier: ['dry', 0, 2, 0.05, 'lowers what would carry on a repetition; 0 is off'],
  dry_base: ['dry base', 1, 3, 0.05, 'how fast that grows with the length'],
  dry_allowed_length: ['dry allowed length', 0, 10, 1, 'a repetition of that many tokens is free'],
  top_n_sigma: ['top-n-sigma', -1, 4, 0.05, 'keeps logits within so many deviations of the top; -1 is off'],
  typical_p: ['typical-p', 0, 1, 0.005, 'keeps the least surprising and unsurprising up to that mass; 1 keeps all'],
  xtc_probability: ['xtc probability', 0, 1, 0.01, 'how often the top choices are excluded; 0 is off'],
  xtc_threshold: ['xtc threshold', 0, 0.5, 0.005, 'from which probability a token is a top choice'],
  dynatemp_range: ['temperature range', 0, 2, 0.01, 'how far the temperature follows the entropy; 0 is off'],
  dynatemp_exponent: ['temperature exponent', 0.1, 4, 0.05, 'how it follows'],
};

const optionsOf = stages.flatMap(({ name: stage, options }) => options.map((option) => ({ stage, ...option })));

/** In the order of the chain. */
export const settings: Setting[] = optionsOf.flatMap(({ stage, name }) => {
  const range = FIRST[name] ?? MORE[name];
  if (!range) return [];
  const [label, min, max, step, hint] = range;
  return [{ name, stage, label, min, max, step, hint, first: name in FIRST }];
});

const usual = Object.fromEntries(
  settings.map(({ name }) => [name, optionsOf.find((option) => option.name === name)!.default]),
) as Partial<Record<SettingName, number>>;

/** A token that was looked for, with its place among all. */
export interface Found extends Candidate {
  rank: number;
}

/** What came of throwing the coin of one choice again and again. */
export interface Draws {
  n: number;
  /** By token, how often. */
  counts: Map<number, number>;
}

const FIRST_PROMPT = 'Once upon a time there was a little girl who';
const FIRST_SEED = 5;
const TOP_N = 100;
const MOST_FOUND = 30;
export const DRAWS = 100;
const TYPING_MS = 120; // a pause in typing after which the prompt is run

/** Resolves once the screen shows what has changed, so that the drawing is not counted as the model's time. */
const painted = () => new Promise<void>((resolve) => requestAnimationFrame(() => setTimeout(resolve)));

export class Instrument {
  readonly phase = signal<Phase>('loading');
  readonly running = signal(false); // a wish: it may end before the token that is under way
  readonly loaded = signal(0); // share of the model's file
  readonly failure = signal('');
  readonly prompt = signal(FIRST_PROMPT);
  readonly values = signal<Partial<Record<SettingName, number>>>(usual);
  readonly seed = signal(FIRST_SEED);
  readonly made = signal<Made[]>([]);
  readonly trace = signal<StepTrace | undefined>(undefined);
  /** What the second bars show: probabilities after this stage; undefined: after the last. */
  readonly stage = signal<StageName | undefined>(undefined);
  /** Those probabilities by token, of the candidates shown. */
  readonly after = signal<ReadonlyMap<number, number>>(new Map());
  readonly query = signal('');
  readonly found = signal<Found[] | undefined>(undefined);
  readonly draws = signal<Draws | undefined>(undefined);
  readonly decoded = signal(0);
  readonly memory = signal(0);
  readonly rate = signal(0); // tokens a second of the last run, with every choice traced, without the waits for the screen
  readonly model = signal<Model | undefined>(undefined);
  /** No further token can be made. */
  readonly over = computed(() => this.phase.value === 'ended' || this.phase.value === 'full');

  /** What is shown is about to change. */
  readonly busy = computed(() => this.#pending.value > 0);

  readonly #pending = signal(0); // works that are queued or under way, and typing that is not yet taken up
  #session: Session | undefined;
  #work: Promise<void> = Promise.resolve();
  #typing: ReturnType<typeof setTimeout> | undefined; // the prompt on the page is not yet the session's
  #looking = false;

  /** Takes up a model that load makes, and shows its first choice. */
  async start(load: (progress: (share: number) => void) => Promise<Model>): Promise<void> {
    await this.#do(async () => {
      const model = await load((share) => (this.loaded.value = share));
      this.model.value = model;
      this.#session = model.createSession();
      await this.#take();
    });
  }

  /** One thing after the other; what fails is shown. */
  #do(work: () => Promise<void>): Promise<void> {
    this.#pending.value++;
    this.#work = this.#work
      .then(work)
      .catch((error: unknown) => {
        this.failure.value = error instanceof Error ? error.message : String(error);
        this.phase.value = 'failed';
        this.running.value = false;
      })
      .finally(() => this.#pending.value--);
    return this.#work;
  }

  /** The prompt becomes the session's text; when it cannot, nothing is shown that belongs to another text. */
  async #take(): Promise<void> {
    if (!this.#session) return; // there is no model, and the page says why
    this.made.value = [];
    try {
      await this.#session.sync(this.prompt.value);
      await this.#look();
    } catch (error) {
      this.trace.value = undefined;
      this.found.value = undefined;
      this.draws.value = undefined;
      throw error;
    }
    this.failure.value = '';
    this.phase.value = this.#full() ? 'full' : 'ready';
  }

  #full(): boolean {
    return this.#session!.tokens.length >= this.model.value!.info.n_ctx;
  }

  #options(): SamplerOptions {
    return { ...this.values.value, seed: this.seed.value };
  }

  /** The next choice with the settings as they are, from the logits that are there; the model runs only for tokens that are new.
   *  What else changes with it is seen together with it. */
  async #look(change = () => {}): Promise<void> {
    const trace = await this.#session!.candidates({ ...this.#options(), top_n: TOP_N });
    const after = await this.#afterStage(trace);
    const found = await this.#find();
    const { decoded_tokens, memory } = await this.model.value!.stats();
    batch(() => {
      this.trace.value = trace;
      this.after.value = after;
      this.found.value = found;
      this.draws.value = undefined; // they were of another choice, or by other settings
      this.decoded.value = decoded_tokens;
      this.memory.value = memory.total;
      change();
    });
  }

  /** Probabilities of the shown candidates after the chosen stage: the chain up to it, run again on the same logits. */
  async #afterStage(trace: StepTrace): Promise<Map<number, number>> {
    const names = trace.stages.map(({ name }) => name);
    const last = this.stage.value ? names.indexOf(this.stage.value) : -1;
    const upto =
      last < 0
        ? trace
        : await this.#session!.candidates({ ...this.#options(), samplers: names.slice(0, last + 1), top_n: TOP_N });
    return new Map(upto.candidates.map(({ token, final }) => [token, final]));
  }

  /** The most probable tokens of the whole vocabulary whose name has the query in it, or whose id it is. */
  async #find(): Promise<Found[] | undefined> {
    const query = this.query.value.toLowerCase();
    if (query === '') return undefined;
    const { candidates } = await this.#session!.candidates({ ...this.#options(), top_n: this.model.value!.info.n_vocab });
    const found: Found[] = [];
    for (const [rank, candidate] of candidates.entries()) {
      const hit =
        String(candidate.token) === query ||
        candidate.text.toLowerCase().includes(query) ||
        nameOf(candidate).toLowerCase().includes(query);
      if (hit && found.push({ ...candidate, rank }) === MOST_FOUND) break;
    }
    return found;
  }

  search(query: string): void {
    this.query.value = query;
    this.#lookSoon();
  }

  showAfter(stage: StageName | undefined): void {
    this.stage.value = stage;
    this.#lookSoon();
  }

  /** Throws the coins of further samples of the shown choice: the text does not go on, and the model is not run. */
  tryDraws(): Promise<void> {
    this.#typed();
    return this.#do(async () => {
      if (!this.trace.value) return;
      const counts = new Map<number, number>();
      for (let stream = 1; stream <= DRAWS; stream++) {
        const { draw } = await this.#session!.candidates({ ...this.#options(), stream, top_n: 0 });
        counts.set(draw.token, (counts.get(draw.token) ?? 0) + 1);
      }
      this.draws.value = { n: DRAWS, counts };
    });
  }

  setPrompt(text: string): void {
    this.prompt.value = text;
    this.pause();
    this.made.value = [];
    if (this.#session) this.phase.value = 'ready'; // what comes next comes after the new prompt
    this.#endTyping();
    this.#pending.value++;
    this.#typing = setTimeout(() => this.#typed(), TYPING_MS);
  }

  /** Whether anything was typed that is not yet taken up; that is the caller's now. */
  #endTyping(): boolean {
    if (this.#typing === undefined) return false;
    clearTimeout(this.#typing);
    this.#typing = undefined;
    this.#pending.value--;
    return true;
  }

  /** Takes up what was typed, if anything was, before whatever comes next. */
  #typed(): void {
    if (this.#endTyping()) void this.#do(() => this.#take());
  }

  set(name: SettingName, value: number): void {
    this.values.value = { ...this.values.value, [name]: value };
    this.#lookSoon();
  }

  setSeed(seed: number): void {
    this.seed.value = seed;
    this.#lookSoon();
  }

  /** Many moves of a slider while one look is under way are followed by one more look. */
  #lookSoon(): void {
    this.#typed();
    if (this.#looking || !this.#session) return;
    this.#looking = true;
    void this.#do(async () => {
      this.#looking = false;
      if (this.phase.value !== 'failed') await this.#look();
    });
  }

  async #make(): Promise<void> {
    if (this.phase.value !== 'ready') return;
    const before = this.made.value;
    const fresh: Made[] = [];
    let ended = false;
    for await (const step of this.#session!.generate(undefined, { ...this.#options(), max_tokens: 1, trace: false })) {
      fresh.push({ token: step.token, text: step.text, bytes: step.bytes, logprob: step.logprob });
      ended = step.eog;
    }
    await this.#look(() => {
      if (this.made.value !== before) return; // another prompt was typed meanwhile
      this.made.value = [...before, ...fresh];
      if (ended) this.phase.value = 'ended';
      else if (this.#full()) this.phase.value = 'full';
    });
  }

  step(): Promise<void> {
    this.pause();
    this.#typed();
    return this.#do(() => this.#make());
  }

  /** Goes on until pause, an end token, or a full context. */
  run(): Promise<void> {
    this.#typed();
    this.running.value = true;
    return this.#do(async () => {
      let busy = 0; // milliseconds
      for (let n = 1; this.running.value && this.phase.value === 'ready'; n++) {
        const start = performance.now();
        await this.#make();
        busy += performance.now() - start;
        this.rate.value = (n / busy) * 1000;
        await painted();
      }
      this.running.value = false;
    });
  }

  /** At most the token that is under way is still made. */
  pause(): void {
    this.running.value = false;
  }

  /** Back to the end of the prompt. */
  reset(): Promise<void> {
    this.pause();
    this.#endTyping();
    return this.#do(() => this.#take());
  }
}
