/** Short forms for the rows of the list of lenses. */

/** An option that is a number. */
export const number = <const N extends string>(
  name: N,
  initial: number,
  min: number,
  max: number,
  meaning: string,
) => ({ type: 'number', name, default: initial, min, max, whole: false, meaning }) as const;

/** An option that is a whole number. */
export const whole = <const N extends string>(
  name: N,
  initial: number,
  min: number,
  max: number,
  meaning: string,
) => ({ type: 'number', name, default: initial, min, max, whole: true, meaning }) as const;

/** An option that is one of a few names; the first one is the default. */
export const choice = <const N extends string, const V extends readonly [string, ...string[]]>(
  name: N,
  values: V,
  meaning: string,
) => ({ type: 'choice', name, default: values[0], values, meaning }) as const;

/** An option that is true or false. */
export const flag = <const N extends string>(name: N, initial: boolean, meaning: string) =>
  ({ type: 'flag', name, default: initial, meaning }) as const;

/** An option that the lens itself checks. value: its TypeScript type. */
export const other = <const N extends string>(name: N, value: string, meaning: string) =>
  ({ type: 'other', name, value, meaning }) as const;
