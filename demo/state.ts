/** The page's state and what can be done with it: in, the user's wishes; out, signals that the views read. One session at a time; work is done in order. */
import { batch, computed, signal } from '@preact/signals';
import type { Model, SamplerOptions, Session, StepTrace } from '../web/index.js';
import { stages } from '../web/index.js';

export type Phase = 'loading' | 'ready' | 'ended' | 'full' | 'failed';

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

/** Resolves once the screen shows what has changed, so that the drawing is not counted as the model's time. */
const painted = () => new Promise<void>((resolve) => requestAnimationFrame(() => setTimeout(resolve)));

export class Instrument {
  readonly phase = signal<Phase>('loading');
  readonly running = signal(false); // a wish: it may end before the token that is under way
  readonly loaded = signal(0); // share of the model's file
  readonly failure = signal('');
  readonly prompt = signal(FIRST_PROMPT);
  readonly values = signal<Record<SettingName, number>>(usual);
  readonly seed = signal(FIRST_SEED);
  readonly made = signal<Made[]>([]);
  readonly trace = signal<StepTrace | undefined>(undefined);
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
    const { decoded_tokens, memory } = await this.model.value!.stats();
    batch(() => {
      this.trace.value = trace;
      this.decoded.value = decoded_tokens;
      this.memory.value = memory.total;
      change();
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
