/** The decoding methods of generate(). Loaded with the first of them. */
import { invalid, reading, unsupported } from '../types/arguments.js';
import { typed } from '../types/errors.js';
import type { GenerateMethod, MethodTrace } from '../types/methods.js';
import { suggestion } from '../types/names.js';
import { cntp } from './cntp.js';
import type { Drawn, MethodHost, MethodRun } from './host.js';
import { methods, readMethodOptions } from './list.js';

/** Throws INVALID_ARGUMENT for wrong options, OPTION_UNSUPPORTED for what no method can do. */
export function beginMethod<D extends Drawn>(
  given: GenerateMethod,
  host: MethodHost<D>,
): MethodRun<D, MethodTrace> {
  const name: unknown = reading('method', () => given.name);
  const known = methods.filter(({ kind }) => kind === 'generate').map((method) => method.name);
  if (!known.includes(name as string))
    throw invalid(`method.name is ${typed(name, 'string')}${suggestion(name, known)}`);
  const options = readMethodOptions('cntp', given, 'method', ['name'], 'method.');
  if (host.has_grammar)
    throw unsupported(`method ${name} cannot follow a grammar: its trials are texts of their own`);
  if (host.shifts) throw unsupported(`method ${name} cannot be combined with overflow: 'shift'`);
  return cntp(host, options);
}
