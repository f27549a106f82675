// Texts that the model of reciter.mjs recites: a prompt, and the answer that is measured. At most
// 576 tokens of reciter.mjs together.
import { STORY } from '../support/story.mjs';

const CODE_PROMPT = `Write a store for users and for orders.

class UserStore {
  constructor(database) {
    this.database = database;
    this.users = new Map();
  }

  async load(id) {
    if (this.users.has(id)) return this.users.get(id);
    const user = await this.database.read('users', id);
    if (!user) throw new Error('no user ' + id);
    this.users.set(id, user);
    return user;
  }
`;

const CODE = `
  async save(user) {
    await this.database.write('users', user.id, user);
    this.users.set(user.id, user);
  }

  async remove(id) {
    await this.database.remove('users', id);
    this.users.delete(id);
  }
}

class OrderStore {
  constructor(database) {
    this.database = database;
    this.orders = new Map();
  }

  async load(id) {
    if (this.orders.has(id)) return this.orders.get(id);
    const order = await this.database.read('orders', id);
    if (!order) throw new Error('no order ' + id);
    this.orders.set(id, order);
    return order;
  }

  async save(order) {
    await this.database.write('orders', order.id, order);
    this.orders.set(order.id, order);
  }
}
`;

const PEOPLE = [
  ['Amina', 9, 'village', true],
  ['Grandmother', 71, 'village', true],
  ['King', 48, 'palace', false],
  ['Miller', 35, 'mill', true],
  ['Shepherd', 17, 'hill', false],
  ['Weaver', 29, 'village', false],
];
const RECORDS = PEOPLE.map(([name, age, place, swims]) => ({ name, age, place, swims }));

/** The schema of the answer 'json'. */
export const SCHEMA = {
  type: 'array',
  items: {
    type: 'object',
    properties: {
      name: { type: 'string' },
      age: { type: 'integer' },
      place: { type: 'string' },
      swims: { type: 'boolean' },
    },
    required: ['name', 'age', 'place', 'swims'],
    additionalProperties: false,
  },
};

const [FIRST, SECOND] = STORY.split('\n\n');
const sentences = FIRST.match(/[^.]+\./g);

/** Numbers without a pattern. */
function digits(n) {
  let state = 12345;
  const next = () => (state = (state * 1103515245 + 12345) % 2147483648) >> 8;
  return Array.from({ length: n }, () => ` ${next() % 1000}`).join('');
}

export const TEXTS = {
  code: { prompt: CODE_PROMPT, answer: CODE },
  json: {
    prompt: `Who is in the story? Answer in JSON.\n${JSON.stringify(RECORDS[0])}\n`,
    answer: JSON.stringify(RECORDS),
    schema: SCHEMA,
  },
  quote: {
    prompt: `${FIRST}\n\n${SECOND}\n\nWhat does the beginning say, and what does it mean?\n`,
    answer: `The beginning says:${sentences.slice(0, 2).join('')} It means that people lived by the water. Then it says: ${SECOND.slice(0, SECOND.indexOf('"'))}It means that the goat was alone.`,
  },
  prose: { prompt: `${FIRST}\n\n`, answer: STORY.slice(FIRST.length + 2, 1400) },
  numbers: { prompt: 'Random numbers:', answer: digits(160) },
};
