/** A schema is asked for while its own shape is being made; thrown while a question is open. */
export class Unfinished extends Error {}
