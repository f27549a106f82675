/** `tokenglass --info`: what the header of a GGUF file says. */
import { readHeader } from '../engine/inspect.js';
import type { Header } from '../engine/inspect.js';
import { urlsOf } from '../platform/builds.js';
import { node, nodeWorkerPlatform } from '../platform/node.js';

import { pad, visibleLine } from './cli-text.js';
import type { Paint } from './cli-text.js';
import type { EngineBuild } from '../types/types.js';
import { timeoutOf } from './timeout.js';

const number = (n: number) => n.toLocaleString('en');

/** Lines of columns; the columns are as wide as their widest cell. right: columns of numbers. */
function columns(rows: readonly (readonly string[])[], right: readonly number[] = []): string {
  const widths = (rows[0] ?? []).map((_, i) => Math.max(...rows.map((row) => row[i]!.length)));
  const line = (row: readonly string[]) =>
    row.map((cell, i) => (right.includes(i) ? cell.padStart(widths[i]!) : pad(cell, widths[i]!)));
  return rows.map((row) => `  ${line(row).join('  ').trimEnd()}\n`).join('');
}

export function infoText(
  { keys, tensors, quant_types, memory, warnings, error }: Header,
  color: Paint,
): string {
  const heading = (name: string) => `${color.strong(name)}\n`;
  const parts = [
    heading(`${keys.length} keys`),
    columns(keys.map(({ name, value }) => [visibleLine(name), visibleLine(value)])),
    heading(`${tensors.length} tensors`),
    columns(
      tensors.map(({ name, type, shape, bytes }) => [
        visibleLine(name),
        type,
        shape.join(' x '),
        `${number(bytes)} bytes`,
      ]),
      [3],
    ),
    heading('weight types'),
    columns(
      quant_types.map((type) => [
        type.name,
        `${type.tensors} tensors`,
        `${number(type.params)} weights`,
      ]),
      [1, 2],
    ),
  ];
  if (memory) {
    const rows = Object.entries(memory).map(([name, bytes]) => [name, `${number(bytes)} bytes`]);
    parts.push(heading('memory plan'), columns(rows, [1]));
  }
  if (warnings.length > 0)
    parts.push(heading('warnings'), columns(warnings.map((text) => [visibleLine(text)])));
  if (error)
    parts.push(
      `${color.gone(`this package cannot run the file: ${visibleLine(error.message)}`)}\n`,
    );
  return parts.join('');
}

/** The header as JSON. */
export const infoJson = ({ error, ...rest }: Header): string =>
  JSON.stringify({ ...rest, error: error ? { code: error.code, message: error.message } : null });

/** n_ctx: context for the memory plan; timeout_ms: as in loadModel. */
export async function headerOf(
  file: string,
  builds: readonly EngineBuild[],
  n_ctx: number | undefined,
  timeout_ms: number | undefined,
): Promise<Header> {
  const source = node.namedSource(file);
  const timeout = timeoutOf(timeout_ms === undefined ? {} : { timeout_ms });
  return readHeader(nodeWorkerPlatform, source, urlsOf(builds), n_ctx ?? 0, timeout);
}
