// Random JSON schemas with short instances: strings and lists are bounded. Takes a generator of
// whole numbers below n, returns schemas.

const words = ['name', 'age', 'kind', 'size', 'color', 'tags', 'place', 'old'];

function leaf(random) {
  switch (random(7)) {
    case 0:
      return { type: 'string', maxLength: 1 + random(10) };
    case 1:
      return { type: 'string', minLength: 2, maxLength: 6 };
    case 2: {
      const minimum = random(200) - 100;
      return { type: 'integer', minimum, maximum: minimum + random(1000) };
    }
    case 3:
      return { type: 'boolean' };
    case 4:
      return { enum: ['red', 'green', 3, null, true].slice(0, 1 + random(5)) };
    case 5:
      return { const: ['a "quoted" word', 7, false][random(3)] };
    default:
      return { anyOf: [{ type: 'null' }, { type: 'string', maxLength: 4 }] };
  }
}

function value(random, depth) {
  const kind = random(depth > 0 ? 5 : 3);
  if (kind === 3) {
    const minItems = random(3);
    return { type: 'array', items: leaf(random), minItems, maxItems: minItems + random(3) };
  }
  if (kind === 4) return object(random, depth - 1);
  return leaf(random);
}

function object(random, depth) {
  const names = words.filter(() => random(3) === 0).slice(0, 3);
  if (names.length === 0) names.push(words[random(words.length)]);
  const properties = Object.fromEntries(names.map((name) => [name, value(random, depth)]));
  return {
    type: 'object',
    properties,
    required: names.filter(() => random(4) > 0),
    additionalProperties: false,
  };
}

export const randomSchema = (random) => object(random, 1);
