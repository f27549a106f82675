/** Small models that people use, and whether a model fits into the device. Repositories, names of
 *  files, sizes and licences are those of the pages on the hub. */
import { HUB } from './models.js';

/** A model that this page can run. */
export interface ListedModel {
  readonly name: string;
  /** owner/repo/file on Hugging Face */
  readonly file: string;
  /** Of the file, in bytes. */
  readonly size: number;
  readonly parameters: string;
  readonly licence: string;
  readonly languages: string;
  /** What is special. */
  readonly note: string;
}

export interface ModelGroup {
  readonly purpose: string;
  readonly models: readonly ListedModel[];
}

const APACHE = 'Apache 2.0';
const ENGLISH = 'English';

/** By purpose, then by size. */
export const modelGroups: readonly ModelGroup[] = [
  {
    purpose: 'Chat',
    models: [
      {
        name: 'SmolLM2 135M',
        file: 'bartowski/SmolLM2-135M-Instruct-GGUF/SmolLM2-135M-Instruct-Q8_0.gguf',
        size: 145e6,
        parameters: '135 M',
        licence: APACHE,
        languages: ENGLISH,
        note: 'The smallest model that answers questions.',
      },
      {
        name: 'LFM2 350M',
        file: 'LiquidAI/LFM2-350M-GGUF/LFM2-350M-Q4_K_M.gguf',
        size: 229_309_376,
        parameters: '350 M',
        licence: 'LFM Open License 1.0',
        languages: 'English and 7 others',
        note: 'Short convolutions in place of most attention: fast on small devices.',
      },
      {
        name: 'Gemma 3 270M',
        file: 'ggml-org/gemma-3-270m-it-GGUF/gemma-3-270m-it-Q8_0.gguf',
        size: 291_545_600,
        parameters: '270 M',
        licence: 'Gemma terms of use',
        languages: 'mostly English',
        note: 'Most of its parameters are a vocabulary of 262,144 tokens.',
      },
      {
        name: 'SmolLM2 360M',
        file: 'HuggingFaceTB/SmolLM2-360M-Instruct-GGUF/smollm2-360m-instruct-q8_0.gguf',
        size: 386e6,
        parameters: '362 M',
        licence: APACHE,
        languages: ENGLISH,
        note: 'A good first model for a laptop.',
      },
      {
        name: 'LFM2 700M',
        file: 'LiquidAI/LFM2-700M-GGUF/LFM2-700M-Q4_K_M.gguf',
        size: 468_624_320,
        parameters: '742 M',
        licence: 'LFM Open License 1.0',
        languages: 'English and 7 others',
        note: 'Between the 350M and the 1.2B model of the same family.',
      },
      {
        name: 'Gemma 3 1B',
        file: 'ggml-org/gemma-3-1b-it-GGUF/gemma-3-1b-it-Q4_K_M.gguf',
        size: 806e6,
        parameters: '1 B',
        licence: 'Gemma terms of use',
        languages: 'mostly English',
        note: 'Writes well for its size.',
      },
      {
        name: 'Llama 3.2 1B',
        file: 'bartowski/Llama-3.2-1B-Instruct-GGUF/Llama-3.2-1B-Instruct-Q4_K_M.gguf',
        size: 807_694_464,
        parameters: '1.2 B',
        licence: 'Llama 3.2 Community License',
        languages: 'English and 7 others',
        note: 'The smallest Llama 3 model.',
      },
      {
        name: 'SmolLM2 1.7B',
        file: 'bartowski/SmolLM2-1.7B-Instruct-GGUF/SmolLM2-1.7B-Instruct-Q4_K_M.gguf',
        size: 1_055_609_824,
        parameters: '1.7 B',
        licence: APACHE,
        languages: ENGLISH,
        note: 'The best answers of its family.',
      },
      {
        name: 'TinyLlama 1.1B',
        file: 'TheBloke/TinyLlama-1.1B-Chat-v1.0-GGUF/tinyllama-1.1b-chat-v1.0.Q8_0.gguf',
        size: 1.17e9,
        parameters: '1.1 B',
        licence: APACHE,
        languages: ENGLISH,
        note: 'An older model with the vocabulary of Llama 2.',
      },
    ],
  },
  {
    purpose: 'Many languages',
    models: [
      {
        name: 'ERNIE 4.5 0.3B',
        file: 'unsloth/ERNIE-4.5-0.3B-PT-GGUF/ERNIE-4.5-0.3B-PT-Q4_K_M.gguf',
        size: 240_645_600,
        parameters: '361 M',
        licence: APACHE,
        languages: 'Chinese, English',
        note: 'The smallest model of its family.',
      },
      {
        name: 'Qwen2.5 0.5B',
        file: 'bartowski/Qwen2.5-0.5B-Instruct-GGUF/Qwen2.5-0.5B-Instruct-Q4_K_M.gguf',
        size: 398e6,
        parameters: '494 M',
        licence: APACHE,
        languages: '29 languages',
        note: 'Widely used; 151,936 tokens.',
      },
      {
        name: 'Qwen3.5 0.8B',
        file: 'unsloth/Qwen3.5-0.8B-GGUF/Qwen3.5-0.8B-Q4_K_M.gguf',
        size: 530e6,
        parameters: '0.8 B',
        licence: APACHE,
        languages: 'more than 100 languages',
        note: 'Recurrent layers between the attention layers.',
      },
      {
        name: 'Qwen3 0.6B',
        file: 'Qwen/Qwen3-0.6B-GGUF/Qwen3-0.6B-Q8_0.gguf',
        size: 639_446_688,
        parameters: '596 M',
        licence: APACHE,
        languages: 'more than 100 languages',
        note: 'Thinks before it answers.',
      },
      {
        name: 'LFM2 1.2B',
        file: 'LiquidAI/LFM2-1.2B-GGUF/LFM2-1.2B-Q4_K_M.gguf',
        size: 730_893_248,
        parameters: '1.2 B',
        licence: 'LFM Open License 1.0',
        languages: 'English and 7 others',
        note: 'Short convolutions in place of most attention.',
      },
      {
        name: 'Granite 3.1 1B A400M',
        file: 'bartowski/granite-3.1-1b-a400m-instruct-GGUF/granite-3.1-1b-a400m-instruct-Q4_K_M.gguf',
        size: 821_847_360,
        parameters: '1.3 B, 0.4 B at a time',
        licence: APACHE,
        languages: '12 languages',
        note: 'A mixture of experts: each token runs through 8 of 32 experts.',
      },
      {
        name: 'Qwen2.5 1.5B',
        file: 'Qwen/Qwen2.5-1.5B-Instruct-GGUF/qwen2.5-1.5b-instruct-q4_k_m.gguf',
        size: 1_117_320_736,
        parameters: '1.5 B',
        licence: APACHE,
        languages: '29 languages',
        note: 'Good answers, still fast.',
      },
      {
        name: 'Qwen3 1.7B',
        file: 'ggml-org/Qwen3-1.7B-GGUF/Qwen3-1.7B-Q4_K_M.gguf',
        size: 1_282_439_264,
        parameters: '1.7 B',
        licence: APACHE,
        languages: 'more than 100 languages',
        note: 'Thinks before it answers.',
      },
    ],
  },
  {
    purpose: 'Program code',
    models: [
      {
        name: 'Qwen2.5 Coder 0.5B',
        file: 'unsloth/Qwen2.5-Coder-0.5B-Instruct-GGUF/Qwen2.5-Coder-0.5B-Instruct-Q4_K_M.gguf',
        size: 398e6,
        parameters: '494 M',
        licence: APACHE,
        languages: 'programming languages',
        note: 'Completes and explains short programs.',
      },
      {
        name: 'Qwen2.5 Coder 1.5B',
        file: 'QuantFactory/Qwen2.5-Coder-1.5B-Instruct-GGUF/Qwen2.5-Coder-1.5B-Instruct.Q4_K_M.gguf',
        size: 986e6,
        parameters: '1.5 B',
        licence: APACHE,
        languages: 'programming languages',
        note: 'Better programs, twice the size.',
      },
    ],
  },
  {
    purpose: 'Stories and plain text, without a chat',
    models: [
      {
        name: 'Stories 15M',
        file: 'ggml-org/tiny-llamas/stories15M-q8_0.gguf',
        size: 26.7e6,
        parameters: '15 M',
        licence: 'MIT',
        languages: ENGLISH,
        note: 'Writes stories for small children.',
      },
      {
        name: 'GPT-2',
        file: 'QuantFactory/gpt2-GGUF/gpt2.Q8_0.gguf',
        size: 178e6,
        parameters: '124 M',
        licence: 'MIT',
        languages: ENGLISH,
        note: 'The model of 2019. It continues texts and follows no instructions.',
      },
    ],
  },
  {
    purpose: 'Tiny, for trying things out',
    models: [
      {
        name: 'Stories 260K',
        file: 'ggml-org/tiny-llamas/stories260K.gguf',
        size: 1.19e6,
        parameters: '260 k',
        licence: 'MIT',
        languages: ENGLISH,
        note: '512 tokens; loads at once.',
      },
      {
        name: 'Stories 15M, 4 bits',
        file: 'ggml-org/tiny-llamas/stories15M-q4_0.gguf',
        size: 19.1e6,
        parameters: '15 M',
        licence: 'MIT',
        languages: ENGLISH,
        note: 'Stories 15M in half the precision: compare the two.',
      },
    ],
  },
];

/** The page on the hub that describes a model. */
export const pageOf = ({ file }: ListedModel): string =>
  `${HUB}/${file.split('/').slice(0, 2).join('/')}`;

/** Whether a model fits into a device. */
export interface Fit {
  readonly level: 'fits' | 'tight' | 'no';
  readonly text: string;
}

const MAX_MEMORY = 2 ** 31; // of WebAssembly, for a model with its cache
const CACHE = 1.15; // the cache and the buffers, as a share of small models
const BUFFERS = 60e6;
const FITS = 0.3; // share of the device's memory
const TIGHT = 0.75;

/** The memory that a model of this size needs with its cache, in bytes: an estimate. */
export const memoryFor = (size: number): number => size * CACHE + BUFFERS;

/** device: the memory of the device in GB as the browser reports it; undefined when it does not. */
export function fitOf(size: number, device: number | undefined): Fit {
  const needed = memoryFor(size);
  const rounded =
    needed < 1e9 ? `${10 * Math.round(needed / 1e7)} MB` : `${(needed / 1e9).toFixed(1)} GB`;
  const about = `needs about ${rounded} of memory`;
  if (needed > MAX_MEMORY)
    return { level: 'no', text: 'too large for this browser: a model can have 2 GB' };
  if (device === undefined)
    return { level: needed > MAX_MEMORY / 2 ? 'tight' : 'fits', text: about };
  const reports = `this device reports ${device} GB`;
  if (needed > TIGHT * device * 1e9)
    return { level: 'no', text: `too large for this device: ${about}, ${reports}` };
  if (needed > FITS * device * 1e9) return { level: 'tight', text: `tight: ${about}, ${reports}` };
  return { level: 'fits', text: 'fits' };
}
