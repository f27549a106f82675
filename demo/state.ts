/** The page's state and what can be done with it: in, the user's wishes; out, signals that the views read. One session at a time; work is done in order. */
import { computed, signal } from '@preact/signals';
import type { Model, SamplerOptions, Session, StepTrace } from '../web/index.js';
import { stages } from '../web/index.js';

export type Phase = 'loading' | 'ready' | 'running' | 'ended' | 'full' | 'failed';

/** A token of the text: what it adds and how it was drawn. */
export interface Made {
  token: number;
  text: string;
  bytes: Uint8Array;
  logprob: number;
}

/** A slider for each option of a stage, with the range that is useful to a hand. */
export interface Setting {
  name: SettingName;
  label: string;
  min: number;
  max: number;
  step: number;
  /** What the neutral value does. */
  hint: string;
}

export type SettingName = (typeof stages)[number]['options'][number]['name'];

const RANGES: Record<SettingName, Omit<Setting, 'name'>> = {
  temperature: { label: 'temperature', min: 0, max: 2, step: 0.01, hint: '0 always takes the most probable, 1 changes nothing' },
  top_k: { label: 'top-k', min: 0, max: 200, step: 1, hint: 'keeps that many; 0 keeps all' },
  top_p: { label: 'top-p', min: 0, max: 1, step: 0.005, hint: 'keeps the top tokens up to that mass; 1 keeps all' },
  min_p: {
    label: 'min-p',
    min: 0,
    max: 0.5,
    step: 0.005,
    hint: 'keeps what is at least so many times as probable as the top one; 0 keeps all',
  },
};

/** In the order of the chain: a stage that is new in the engine's list appears here by itself. */
export const settings: Setting[] = stages.flatMap(({ options }) => options.map(({ name }) => ({ name, ...RANGES[name] })));

const usual = Object.fromEntries(
  stages.flatMap(({ options }) => options.map((option) => [option.name, option.default])),
) as Record<SettingName, number>;

const FIRST_PROMPT = 'Once upon a time there was a little girl who';
const FIRST_SEED = 5;
const TOP_N = 50;
const TYPING_MS = 120; // a pause in typing after which the prompt is run

export class Instrument {
  readonly phase = signal<Phase>('loading');
  readonly loaded = signal(0); // share of the model's file
  readonly failure = signal('');
  readonly prompt = signal(FIRST_PROMPT);
  readonly values = signal<Record<SettingName, number>>(usual);
  readonly seed = signal(FIRST_SEED);
  readonly made = signal<Made[]>([]);
  readonly trace = signal<StepTrace | undefined>(undefined);
  readonly decoded = signal(0);
  readonly memory = signal(0);
  readonly rate = signal(0); // tokens a second of the last run
  readonly model = signal<Model | undefined>(undefined);
  /** No further token can be made. */
  readonly over = computed(() => this.phase.value === 'ended' || this.phase.value === 'full');

  #session: Session | undefined;
  #promptTokens = 0;
  #work: Promise<void> = Promise.resolve();
  #typing: ReturnType<typeof setTimeout> | undefined;
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
    this.#work = this.#work.then(work).catch((error: unknown) => {
      this.failure.value = error instanceof Error ? error.message : String(error);
      this.phase.value = 'failed';
    });
    return this.#work;
  }

  /** The prompt becomes the session's text. */
  async #take(): Promise<void> {
    await this.#session!.sync(this.prompt.value);
    this.#promptTokens = this.#session!.tokens.length;
    this.made.value = [];
    this.failure.value = '';
    this.phase.value = 'ready';
    await this.#look();
  }

  #options(): SamplerOptions {
    return { ...this.values.value, seed: this.seed.value };
  }

  /** The next choice with the settings as they are, from the logits that are there; the model runs only for tokens that are new. */
  async #look(): Promise<void> {
    this.trace.value = await this.#session!.candidates({ ...this.#options(), top_n: TOP_N });
    const { decoded_tokens, memory } = await this.model.value!.stats();
    this.decoded.value = decoded_tokens;
    this.memory.value = memory.total;
  }

  setPrompt(text: string): void {
    this.prompt.value = text;
    this.pause();
    clearTimeout(this.#typing);
    this.#typing = setTimeout(() => void this.#do(() => this.#take()), TYPING_MS);
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
    if (this.#looking || !this.#session) return;
    this.#looking = true;
    void this.#do(async () => {
      this.#looking = false;
      await this.#look();
    });
  }

  async #make(): Promise<void> {
    if (this.over.value) return;
    for await (const step of this.#session!.generate(undefined, { ...this.#options(), max_tokens: 1, trace: false })) {
      this.made.value = [...this.made.value, { token: step.token, text: step.text, bytes: step.bytes, logprob: step.logprob }];
      if (step.eog) this.phase.value = 'ended';
    }
    if (!this.over.value && this.#session!.tokens.length >= this.model.value!.info.n_ctx) this.phase.value = 'full';
    await this.#look();
  }

  step(): Promise<void> {
    this.pause();
    return this.#do(() => this.#make());
  }

  /** Goes on until pause, an end token, or a full context. */
  run(): Promise<void> {
    if (this.phase.value !== 'ready') return Promise.resolve();
    this.phase.value = 'running';
    return this.#do(async () => {
      const start = performance.now();
      const before = this.made.value.length;
      while (this.phase.value === 'running') {
        await this.#make();
        this.rate.value = ((this.made.value.length - before) / (performance.now() - start)) * 1000;
        await new Promise(requestAnimationFrame);
      }
    });
  }

  /** At most the token that is under way is still made. */
  pause(): void {
    if (this.phase.value === 'running') this.phase.value = 'ready';
  }

  /** Back to the end of the prompt. */
  reset(): Promise<void> {
    this.pause();
    if (!this.#session) return Promise.resolve();
    return this.#do(async () => {
      await this.#session!.rewind(this.#promptTokens);
      this.made.value = [];
      this.phase.value = 'ready';
      await this.#look();
    });
  }
}
