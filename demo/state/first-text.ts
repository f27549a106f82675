/** The text and the seed of a page that is opened for the first time. */

export const FIRST_TEXT = 'Once upon a time there was a little girl who';
export const FIRST_SEED = 3439;
