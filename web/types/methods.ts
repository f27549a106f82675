/** Decoding methods of papers: what the list of methods says about each of them. */

/** The paper that describes a method. */
export interface MethodSource {
  /** The title of the paper. */
  title: string;
  /** The authors, separated by commas. */
  authors: string;
  /** The year of publication. */
  year: number;
  /** The number of the paper on this project's list of papers; undefined for a paper outside it. */
  paper?: number;
}

/** An option of a method that is a number. */
export interface NumberOptionInfo {
  /** The kind of the value. */
  type: 'number';
  /** The name. */
  name: string;
  /** The value when the option is not given. */
  default: number;
  /** The smallest value. */
  min: number;
  /** The largest value. */
  max: number;
  /** Whether the value must be a whole number. */
  whole: boolean;
  /** What the option does, with its unit. */
  meaning: string;
}

/** An option of a method that is one of a few names. */
export interface ChoiceOptionInfo {
  /** The kind of the value. */
  type: 'choice';
  /** The name. */
  name: string;
  /** The value when the option is not given. */
  default: string;
  /** All values. */
  values: readonly string[];
  /** What the option does. */
  meaning: string;
}

/** An option of a method that is true or false. */
export interface FlagOptionInfo {
  /** The kind of the value. */
  type: 'flag';
  /** The name. */
  name: string;
  /** The value when the option is not given. */
  default: boolean;
  /** What the option does. */
  meaning: string;
}

/** An option of a method that is a list, an object or a function: the method itself checks it. */
export interface OtherOptionInfo {
  /** The kind of the value. */
  type: 'other';
  /** The name. */
  name: string;
  /** What the option does and what it is when it is not given. */
  meaning: string;
}

/** An option of a method. */
export type MethodOptionInfo =
  NumberOptionInfo | ChoiceOptionInfo | FlagOptionInfo | OtherOptionInfo;

/** How a method is called: as `method` of Session.generate, or by a call of Model. */
export type MethodKind = 'generate' | 'model';

/** A decoding method. */
export interface MethodInfo {
  /** The name. */
  name: string;
  /** The name for people. */
  title: string;
  /** How the method is called. */
  kind: MethodKind;
  /** The call in JavaScript. */
  call: string;
  /** Its own options. Options of every generation, such as max_tokens, are not listed. */
  options: readonly MethodOptionInfo[];
  /** The paper. */
  source: MethodSource;
  /** Whether details that the paper's abstract leaves open are this project's own choice. */
  reconstructed: boolean;
  /** The file of the method in web/methods/. */
  file: string;
}
