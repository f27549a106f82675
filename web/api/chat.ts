/**
 * Renders a conversation with a model's own Jinja template. Loaded with the first conversation. A
 * template comes from the model's file, so it runs with limits on its steps and its output.
 */
import { Environment, Interpreter, parse, tokenize } from '@huggingface/jinja';
import { TokenglassError } from '../types/errors.js';
import type { ChatMessage } from '../types/completions.js';

const MAX_STEPS = 200_000; // evaluated statements and expressions
const MAX_TEXT = 4 * 2 ** 20; // characters of any text that the template makes
const MAX_RANGE = 10_000; // numbers of one range()
const MAX_QUOTED = 300; // characters of the template in an error message

function failure(template: string, reason: string, cause?: unknown): TokenglassError {
  const quoted = template.length > MAX_QUOTED ? `${template.slice(0, MAX_QUOTED)}…` : template;
  const message = `${reason}; the template: ${JSON.stringify(quoted)}`;
  return new TokenglassError('TEMPLATE_FAILED', message, { cause });
}

class LimitedInterpreter extends Interpreter {
  #steps = 0;

  override evaluate(
    ...args: Parameters<Interpreter['evaluate']>
  ): ReturnType<Interpreter['evaluate']> {
    if (++this.#steps > MAX_STEPS) throw new Error(`it takes more than ${MAX_STEPS} steps`);
    const result = super.evaluate(...args);
    const { value } = result as { value: unknown };
    if (typeof value === 'string' && value.length > MAX_TEXT)
      throw new Error(`it makes a text of more than ${MAX_TEXT} characters`);
    return result;
  }
}

/** Python's range(). */
function range(start: number, stop?: number, step = 1): number[] {
  const [from, to] = stop === undefined ? [0, start] : [start, stop];
  const n = Math.max(0, Math.ceil((to - from) / step));
  if (!(n <= MAX_RANGE))
    throw new Error(`it asks for a range of ${n} numbers; the maximum is ${MAX_RANGE}`);
  return Array.from({ length: n }, (_, i) => from + i * step);
}

/** The date now in the given format. Directives that templates do not use stay as they are. */
function strftime(format: string): string {
  const now = new Date();
  const twoDigits = (n: number) => String(n).padStart(2, '0');
  const name = (options: Intl.DateTimeFormatOptions) =>
    new Intl.DateTimeFormat('en', options).format(now);
  const parts: Record<string, string> = {
    Y: String(now.getFullYear()),
    m: twoDigits(now.getMonth() + 1),
    d: twoDigits(now.getDate()),
    H: twoDigits(now.getHours()),
    M: twoDigits(now.getMinutes()),
    S: twoDigits(now.getSeconds()),
    B: name({ month: 'long' }),
    b: name({ month: 'short' }),
    A: name({ weekday: 'long' }),
    a: name({ weekday: 'short' }),
  };
  return format.replace(/%([A-Za-z])/g, (whole, letter: string) => parts[letter] ?? whole);
}

/** What a template gets. */
export interface TemplateInput {
  messages: readonly ChatMessage[];
  bos_token: string;
  eos_token: string;
}

/** What every template can use. */
const GLOBALS: Record<string, unknown> = {
  true: true,
  false: false,
  none: null,
  True: true,
  False: false,
  None: null,
  raise_exception: (message: unknown) => {
    throw new Error(`it refuses: ${String(message)}`);
  },
  range,
  strftime_now: strftime,
  add_generation_prompt: true,
  tools: null,
  documents: null,
};

/**
 * The conversation as text, up to where the assistant begins. Throws TEMPLATE_FAILED, which quotes
 * the template, when the template is broken or refuses the messages.
 */
export function renderChat(template: string, input: TemplateInput): string {
  try {
    const program = parse(tokenize(template, { lstrip_blocks: true, trim_blocks: true }));
    const environment = new Environment();
    for (const [name, value] of Object.entries({ ...GLOBALS, ...input }))
      environment.set(name, value);
    return String((new LimitedInterpreter(environment).run(program) as { value: unknown }).value);
  } catch (error) {
    throw failure(template, (error as Error).message, error);
  }
}
