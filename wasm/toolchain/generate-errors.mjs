// Turns the list of errors into web/types/generated-errors.ts. The list is a module of its own:
// a bundle that only loads models leaves it out. generate.mjs writes the file.
import { HEADER, format, row, table, union } from './generate-lists.mjs';
import { readRows } from './lists.mjs';

export const path = 'web/types/generated-errors.ts';

export function text() {
  const codes = readRows('src/base/status.def', 'TG_STATUS')
    .map(({ args: [name, number, meaning] }) => ({ name, number: Number(number), meaning }))
    .filter(({ number }) => number !== 0); // OK is no error
  return format([
    HEADER,
    union(
      'ErrorCode',
      'The codes of all errors (status.def). They are stable.',
      codes.map(({ name }) => name),
    ),
    row('ErrorInfo', 'An error of the package.', {
      name: ['ErrorCode', 'The code of TokenglassError.'],
      number: ['number', 'The number in C.'],
      meaning: ['string', 'The meaning, for people.'],
    }),
    table('errorCodes', 'Every error: code, number in C, meaning.', 'ErrorInfo', codes),
  ]);
}
