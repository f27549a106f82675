// Turns wasm/boundary.def into web/engine/generated-boundary.ts: a typed method for every exported
// function, and for every struct its size, its type and a method that reads or writes it at the
// offsets that a C compiler for wasm32 gives the fields. generate.mjs writes the file.
import { readFileSync } from 'node:fs';
import prettier from 'prettier';
import { comment, readRows } from './lists.mjs';

export const path = 'web/engine/generated-boundary.ts';

const FILE = 'wasm/boundary.def';

/** Of each C type: bytes, DataView's name for it, TypeScript's type. */
const SCALARS = {
  char: [1, 'Uint8', 'number'],
  bool: [1, 'Uint8', 'boolean'],
  uint8_t: [1, 'Uint8', 'number'],
  int32_t: [4, 'Int32', 'number'],
  uint32_t: [4, 'Uint32', 'number'],
  size_t: [4, 'Uint32', 'number'],
  float: [4, 'Float32', 'number'],
  double: [8, 'Float64', 'number'],
  int64_t: [8, 'BigInt64', 'bigint'],
  uint64_t: [8, 'BigUint64', 'bigint'],
  // enums
  tg_status: [4, 'Uint32', 'number'],
  tg_stage: [4, 'Uint32', 'number'],
  tg_cache_type: [4, 'Uint32', 'number'],
  tg_edit_kind: [4, 'Uint32', 'number'],
};
const POINTER = [4, 'Uint32', 'number'];

function scalar(type) {
  const result = type.endsWith('*') ? POINTER : SCALARS[type];
  if (!result) throw new Error(`${FILE}: generate-boundary.mjs does not know the type ${type}`);
  return result;
}

const isString = (type) => type === 'const char *';
const words = (name) => name.split('_').filter(Boolean);
const capital = (word) => word[0].toUpperCase() + word.slice(1);
const pascalCase = (name) => words(name).map(capital).join('');
const camelCase = (name) => pascalCase(name).replace(/^./, (letter) => letter.toLowerCase());

/**
 * The structs by name, laid out as C does it: { name, c, fields, size, align }. A field is
 * { name, type, count, offset }; count: of an array.
 */
function layOut(rows) {
  const structs = new Map();
  for (const { macro, args } of rows) {
    const [record, type, declarator] = args;
    if (macro === 'TGW_STRUCT' || macro === 'TGW_RESULT') {
      const prefix = macro === 'TGW_STRUCT' ? 'tg_' : 'tgw_';
      structs.set(record, { name: record, c: prefix + record, fields: [], size: 0, align: 1 });
    } else if (macro === 'TGW_FIELD' || macro === 'TGW_VALUE') {
      const struct = structs.get(record);
      const [, name, count] = /^(\w+)(?:\[(\d+)\])?$/.exec(declarator);
      const [bytes] = scalar(type);
      const offset = Math.ceil(struct.size / bytes) * bytes;
      struct.fields.push({ name, type, count: count && Number(count), offset });
      struct.size = offset + bytes * Number(count ?? 1);
      struct.align = Math.max(struct.align, bytes);
    } else if (macro === 'TGW_END') {
      const struct = structs.get(record);
      struct.size = Math.ceil(struct.size / struct.align) * struct.align;
    }
  }
  return structs;
}

/** TypeScript's type of a field. */
function typeOfField({ type, count }) {
  if (isString(type)) return 'string | undefined';
  if (count !== undefined) return type === 'char' ? 'string' : 'Uint8Array';
  return scalar(type)[2];
}

const at = (offset) => (offset ? `address + ${offset}` : 'address');

/** The expression that reads a field. */
function readField({ type, count, offset }) {
  if (count !== undefined) {
    const bytes = `this.bytes(${at(offset)}, ${count})`;
    return type === 'char' ? `this.stringAt(${at(offset)}, ${count})` : `${bytes}.slice()`;
  }
  const [bytes, view, result] = scalar(type);
  const value = `view.get${view}(${at(offset)}${bytes > 1 ? ', true' : ''})`;
  if (isString(type)) return `this.stringOf(${value})`;
  return result === 'boolean' ? `${value} !== 0` : value;
}

function writeField({ name, type, count, offset }) {
  const [bytes, view] = scalar(type);
  if (count !== undefined || bytes === 1 || isString(type))
    throw new Error(`${FILE}: generate-boundary.mjs cannot write ${name}`);
  return `view.set${view}(${at(offset)}, record.${name}, true);`;
}

function declareStruct({ name, c, fields, size }) {
  const constant = `${name.toUpperCase()}_BYTES`;
  const members = fields.map((field) => `${field.name}: ${typeOfField(field)};`).join('\n');
  return `export const ${constant} = ${size};

${comment(`${c} in C.`)}export interface ${pascalCase(name)}Record {
${members}
}
`;
}

function readMethod({ name, fields }) {
  const values = fields.map((field) => `${field.name}: ${readField(field)},`).join('\n');
  const type = `${pascalCase(name)}Record`;
  return `read${pascalCase(name)}(address: number): ${type} {\nconst view = this.view();\nreturn {\n${values}\n};\n}\n`;
}

function writeMethod({ name, fields }) {
  const type = `${pascalCase(name)}Record`;
  return `write${pascalCase(name)}(address: number, record: ${type}): void {\nconst view = this.view();\n${fields.map(writeField).join('\n')}\n}\n`;
}

/** The comment before each function's row. */
function functionComments() {
  const text = readFileSync(new URL(`../../${FILE}`, import.meta.url), 'utf8');
  const pattern = /\/\*((?:(?!\*\/)[\s\S])*)\*\/\s*TGW_FUNCTION\([^,]+,\s*(\w+)/g;
  return new Map([...text.matchAll(pattern)].map(([, words, name]) => [name, words.trim()]));
}

/** A parameter `const float **out` as { type: 'const float **', name: 'out' }. */
function parameter(text) {
  const [, type, name] = /^(.*?)(\w+)$/.exec(text);
  return { type: type.trim(), name };
}

function typeOfParameter(type) {
  const [bytes, , result] = scalar(type);
  if (bytes === 8 && result === 'bigint')
    throw new Error(`${FILE}: 64-bit integers cannot be parameters`);
  return result;
}

/** The struct that a C type names or points at. */
function structOf(structs, type) {
  const name = type.replace(/^const /, '').replace(/ \*$/, '');
  return [...structs.values()].find(({ c }) => c === name);
}

/** The expression for a value that a call returned, as unsigned where C has it so. */
const returned = (type, call) =>
  scalar(type)[1] === 'Uint32'
    ? `${call} >>> 0`
    : scalar(type)[2] === 'boolean'
      ? `${call} !== 0`
      : call;

/** What a function gives by `out`: TypeScript's type and the expression that reads it. */
function resultOf(structs, out) {
  const type = out.type.replace(/ ?\*$/, '').trim();
  const struct = structOf(structs, `${type}`);
  if (struct)
    return {
      type: `${pascalCase(struct.name)}Record`,
      value: `this.read${pascalCase(struct.name)}(this.out)`,
    };
  const [bytes, view, result] = scalar(type);
  const value = `this.view().get${view}(this.out${bytes > 1 ? ', true' : ''})`;
  return { type: result, value: result === 'boolean' ? `${value} !== 0` : value };
}

/** TypeScript's type of what a method returns, and its body. call(kind): the call by this[kind]. */
function typeAndBody(structs, returns, result, call) {
  const struct = structOf(structs, returns);
  if (returns === 'bool' && result) {
    const body = `return ${call('call')} ? ${result.value} : undefined;`;
    return { type: `${result.type} | undefined`, body };
  }
  if (returns === 'tg_status' || returns === 'void') {
    const body = `${call(returns === 'void' ? 'call' : 'check')};`;
    if (!result) return { type: 'void', body };
    return { type: result.type, body: `${body}\nreturn ${result.value};` };
  }
  if (struct) {
    const name = pascalCase(struct.name);
    return { type: `${name}Record`, body: `return this.read${name}(${call('call')} >>> 0);` };
  }
  return { type: typeOfParameter(returns), body: `return ${returned(returns, call('call'))};` };
}

/** The method of a function: arguments by name unless there is only one. */
function method(structs, comments, { args: [returns, name, ...rest] }) {
  const parameters = rest.map(parameter);
  const out = parameters.find((each) => each.name === 'out');
  const passed = parameters.map((each) => {
    if (each === out) return 'this.out';
    if (each.name === 'model') return 'this.model';
    return typeOfParameter(each.type) === 'boolean' ? `Number(${each.name})` : each.name;
  });
  const call = (kind) => `this.${kind}('${name}'${passed.map((each) => `, ${each}`).join('')})`;
  const visible = parameters.filter((each) => each !== out && each.name !== 'model');
  const types = visible.map((each) => `${each.name}: ${typeOfParameter(each.type)}`).join('; ');
  const names = visible.map((each) => each.name).join(', ');
  const signature = visible.length > 1 ? `{ ${names} }: { ${types} }` : types;
  const { type, body } = typeAndBody(structs, returns, out && resultOf(structs, out), call);
  const words = comments.get(name);
  if (!words) throw new Error(`${FILE}: ${name} has no comment`);
  return `${comment(words.replace(/\s*\n \*\s*/g, ' '))}${camelCase(name)}(${signature}): ${type} {
${body}
}
`;
}

/** The text of the file. */
export async function text() {
  const structs = layOut(
    readRows(FILE, 'TGW_STRUCT', 'TGW_FIELD', 'TGW_RESULT', 'TGW_VALUE', 'TGW_END'),
  );
  const functions = readRows(FILE, 'TGW_FUNCTION');
  const comments = functionComments();
  const parameters = functions.flatMap(({ args }) => args.slice(2).map(parameter));
  const written = new Set(
    parameters
      .filter(({ type, name }) => type.startsWith('const tg_') && name !== 'trace')
      .map(({ type }) => structOf(structs, type))
      .filter(Boolean),
  );
  const outs = parameters.filter(({ name }) => name === 'out');
  const outBytes = Math.max(
    8,
    ...outs.map(({ type }) => structOf(structs, type.replace(/\*$/, '').trim())?.size ?? 0),
  );
  const exported = functions.map(({ args }) => `'${args[1]}'`).join(' | ');
  const source = `${comment(
    `Written by wasm/toolchain/generate.mjs from ${FILE}. Change the rows, not this file. The engine's exported functions as methods with named arguments and results, and the structs that both sides read. A record holds what was read; addresses in it are valid as long as the C side says.`,
  )}
${comment('The functions that every build of the engine exports.')}export type ExportName = ${exported};

${comment('The size of the largest result of a function.')}export const OUT_BYTES = ${outBytes};

${[...structs.values()].map(declareStruct).join('\n')}

${comment('Calls of one engine with one model. Engine has the means.')}export abstract class Boundary {
${comment('The address of OUT_BYTES for the result of a call.')}abstract readonly out: number;
${comment('The address of the model; 0: none.')}abstract model: number;
${comment('Calls an exported function.')}protected abstract call(name: ExportName, ...args: number[]): number;
${comment('Calls an exported function that returns a status and throws if the status is not OK.')}protected abstract check(name: ExportName, ...args: number[]): void;
${comment('A view of the whole memory as it is now.')}protected abstract view(): DataView;
${comment('A part of the memory as it is now.')}abstract bytes(address: number, length: number): Uint8Array;
${comment('The string at the address: up to a NUL, or maxLength bytes.')}protected abstract stringAt(address: number, maxLength?: number): string;

${comment('The NUL-terminated string at the address; undefined for NULL.')}protected stringOf(address: number): string | undefined {
return address ? this.stringAt(address) : undefined;
}

// ---- structs ----

${[...structs.values()].map((struct) => (written.has(struct) ? writeMethod : readMethod)(struct)).join('\n')}

// ---- functions ----

${functions.map((row) => method(structs, comments, row)).join('\n')}
}
`;
  return prettier.format(source, { parser: 'typescript', printWidth: 100, singleQuote: true });
}
