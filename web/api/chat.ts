/** Messages as a prompt: in, a model's own Jinja template and messages; out, the text that the model was trained to see. Loaded when a chat is asked for. */
import { Environment, Interpreter, parse, tokenize } from '@huggingface/jinja';
import { TokenglassError } from '../types/errors.js';
import type { ChatMessage } from '../types/completions.js';

const MOST_STEPS = 200_000; // statements and expressions of the template that are evaluated
const MOST_TEXT = 4 * 2 ** 20; // characters of any text that it makes
const MOST_RANGE = 10_000;
const QUOTED = 300; // characters of a template that an error quotes

const failed = (template: string, why: string, cause?: unknown) => {
  const quoted = template.length > QUOTED ? `${template.slice(0, QUOTED)}…` : template;
  return new TokenglassError('TEMPLATE_FAILED', `${why}; the template: ${JSON.stringify(quoted)}`, {
    cause,
  });
};

/** A template is a program of whoever made the file: it gets so many steps and so much text. */
class LimitedInterpreter extends Interpreter {
  #steps = 0;

  override evaluate(
    ...args: Parameters<Interpreter['evaluate']>
  ): ReturnType<Interpreter['evaluate']> {
    if (++this.#steps > MOST_STEPS) throw new Error(`it takes more than ${MOST_STEPS} steps`);
    const result = super.evaluate(...args);
    const { value } = result as { value: unknown };
    if (typeof value === 'string' && value.length > MOST_TEXT)
      throw new Error(`it makes a text of more than ${MOST_TEXT} characters`);
    return result;
  }
}

function range(start: number, stop?: number, step = 1): number[] {
  const [from, to] = stop === undefined ? [0, start] : [start, stop];
  const n = Math.max(0, Math.ceil((to - from) / step));
  if (!(n <= MOST_RANGE))
    throw new Error(`it asks for a range of ${n} numbers; the most are ${MOST_RANGE}`);
  return Array.from({ length: n }, (_, i) => from + i * step);
}

/** Dates as templates ask for them; what is not known stays as it is. */
function strftime(format: string): string {
  const now = new Date();
  const two = (n: number) => String(n).padStart(2, '0');
  const name = (options: Intl.DateTimeFormatOptions) =>
    new Intl.DateTimeFormat('en', options).format(now);
  const parts: Record<string, string> = {
    ...{ Y: String(now.getFullYear()), m: two(now.getMonth() + 1), d: two(now.getDate()) },
    ...{ H: two(now.getHours()), M: two(now.getMinutes()), S: two(now.getSeconds()) },
    ...{
      B: name({ month: 'long' }),
      b: name({ month: 'short' }),
      A: name({ weekday: 'long' }),
      a: name({ weekday: 'short' }),
    },
  };
  return format.replace(/%([A-Za-z])/g, (whole, letter: string) => parts[letter] ?? whole);
}

export interface TemplateInput {
  messages: readonly ChatMessage[];
  bos_token: string;
  eos_token: string;
}

/** The prompt, with the beginning of the assistant's turn. TEMPLATE_FAILED quotes a template that is broken or refuses. */
export function renderChat(template: string, input: TemplateInput): string {
  try {
    const program = parse(tokenize(template, { lstrip_blocks: true, trim_blocks: true }));
    const environment = new Environment();
    const globals: Record<string, unknown> = {
      ...{ true: true, false: false, none: null, True: true, False: false, None: null },
      raise_exception: (message: unknown) => {
        throw new Error(`it refuses: ${String(message)}`);
      },
      range,
      strftime_now: strftime,
      ...{ ...input, add_generation_prompt: true, tools: null, documents: null },
    };
    for (const [name, value] of Object.entries(globals)) environment.set(name, value);
    return String((new LimitedInterpreter(environment).run(program) as { value: unknown }).value);
  } catch (error) {
    throw failed(template, (error as Error).message, error);
  }
}
