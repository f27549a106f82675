/**
 * Lenses: measurements of a model and of texts. What the list of lenses says about each of them.
 */
import type {
  ChoiceOptionInfo,
  FlagOptionInfo,
  MethodSource,
  NumberOptionInfo,
} from './methods.js';

/** An option of a lens that is a list, an object or a text: the lens itself checks it. */
export interface LensOtherOptionInfo {
  /** The kind of the value. */
  type: 'other';
  /** The name. */
  name: string;
  /** The TypeScript type of the value. */
  value: string;
  /** What the option does and what it is when it is not given. */
  meaning: string;
}

/** An option of a lens. */
export type LensOptionInfo =
  NumberOptionInfo | ChoiceOptionInfo | FlagOptionInfo | LensOtherOptionInfo;

/** What a lens looks at: the argument before its options. */
export interface LensArgument {
  /** The name. */
  name: string;
  /** The TypeScript type. */
  value: string;
}

/** A lens. */
export interface LensInfo {
  /** The name: it is called as model.lens.<name>(). */
  name: string;
  /** The name for people. */
  title: string;
  /** What the lens gives, in a sentence. */
  summary: string;
  /** The argument before the options; undefined when there are only options. */
  argument?: LensArgument;
  /** Its own options. Every lens also has `signal`. */
  options: readonly LensOptionInfo[];
  /** The TypeScript type of its result. */
  result: string;
  /** The paper. */
  source: MethodSource;
  /** Whether details that the paper leaves open, or its texts, are this project's own. */
  reconstructed: boolean;
  /** What the lens makes the model run, in a sentence. */
  cost: string;
  /** The lines of an example in JavaScript; `model` is a model. */
  example: readonly string[];
  /** The file of the lens, in web/lenses/. */
  file: string;
}
