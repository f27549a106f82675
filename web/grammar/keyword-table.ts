/** What happens with each keyword of JSON Schema. The table in README.md is written from this. */

export interface KeywordRow {
  /** enforced: every text keeps the keyword. ignored: it asserts nothing. refused: an error. */
  status: 'enforced' | 'ignored' | 'refused';
  /** Limits, and which values are an exception. */
  note: string;
}

const enforced = (note = ''): KeywordRow => ({ status: 'enforced', note });
const ignored = (note = ''): KeywordRow => ({ status: 'ignored', note });
const refused = (note = ''): KeywordRow => ({ status: 'refused', note });

/** Keywords in the order of the specification. Other keywords are annotations: ignored. */
export const keywords: Readonly<Record<string, KeywordRow>> = {
  type: enforced(),
  enum: enforced(),
  const: enforced(),
  minimum: enforced(),
  maximum: enforced(),
  exclusiveMinimum: enforced(),
  exclusiveMaximum: enforced(),
  multipleOf: enforced(
    'The digits of the divisor are a number of at most 2,000; with 7 decimals or more, a power of ten. ' +
      'Multiples of 1e21 and more are left out unless the divisor only has the factors 2 and 5',
  ),
  minLength: enforced('Counts code points. At most 2,000'),
  maxLength: enforced('Counts code points. Beside a pattern or format, about 10,000'),
  pattern: enforced(
    'ECMA-262 with the u flag. Refused: lookahead, lookbehind, backreferences, \\b, and patterns ' +
      'whose automaton has more than 12,000 states',
  ),
  format: enforced('The formats listed below. Other formats are refused'),
  items: enforced('A list of schemas is refused: draft 2020-12 calls it prefixItems'),
  prefixItems: enforced(),
  minItems: enforced('At most 100,000'),
  maxItems: enforced(),
  contains: enforced(
    'Beside items; refused beside prefixItems, maxItems, maxContains, uniqueItems and a second contains',
  ),
  minContains: enforced('As contains'),
  maxContains: refused('Accepted beside "contains": true'),
  uniqueItems: enforced(
    'Items must be one of at most 64 values (enum, const, boolean, null, a short range of integers), ' +
      'without prefixItems and contains; else refused unless maxItems is 1',
  ),
  properties: enforced('Members come in any order'),
  patternProperties: enforced('At most 8 patterns that overlap'),
  additionalProperties: enforced(),
  propertyNames: enforced(),
  required: enforced(),
  minProperties: enforced(
    'Refused where names are open and more than one member beyond the required ones must be there: ' +
      'a text could repeat a name',
  ),
  maxProperties: enforced(),
  dependentRequired: enforced(),
  dependentSchemas: enforced(),
  dependencies: enforced('The older form of the two above'),
  unevaluatedProperties: enforced(
    'Refused beside or above anyOf, oneOf, if or a dependency that could evaluate members',
  ),
  unevaluatedItems: enforced(
    'Refused beside or above anyOf, oneOf, if, contains or a dependency that could evaluate items',
  ),
  allOf: enforced(),
  anyOf: enforced(),
  oneOf: enforced('Cases that overlap need an opposite, see not'),
  not: enforced(
    'Where the opposite can be written: types, strings, bounds of numbers, lengths and counts, required, ' +
      'properties. Refused: opposites of integers, multipleOf, listed numbers, items, open members',
  ),
  if: enforced('The condition needs an opposite, see not'),
  then: enforced(),
  else: enforced(),
  $ref: enforced('Within the document: pointers, anchors, ids; recursion. Addresses are refused'),
  $id: enforced('Names a schema of the document'),
  $anchor: enforced(),
  $defs: enforced('A place for schemas; so is definitions'),
  $schema: enforced('Drafts 2020-12, 2019-09, 7 and 6. Other dialects are refused'),
  $dynamicRef: refused(),
  $dynamicAnchor: enforced('As $anchor'),
  $recursiveRef: refused('Of draft 2019-09'),
  $recursiveAnchor: refused('Of draft 2019-09; false is accepted'),
  additionalItems: ignored('Of older drafts; it has no effect without a list in items'),
  $vocabulary: ignored(),
  $comment: ignored(),
  title: ignored(),
  description: ignored(),
  default: ignored(),
  examples: ignored(),
  deprecated: ignored(),
  readOnly: ignored(),
  writeOnly: ignored(),
  contentEncoding: ignored('An annotation of draft 2020-12'),
  contentMediaType: ignored('An annotation of draft 2020-12'),
  contentSchema: ignored('An annotation of draft 2020-12'),
};
