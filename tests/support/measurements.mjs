// Writes tests/measurements.md. Each command that measures writes its own section between two
// markers.
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';

const FILE = fileURLToPath(new URL('../measurements.md', import.meta.url));

/** The instruction sets that decide how fast the kernels are, widest first. */
const INSTRUCTIONS = [
  ['avx512_vnni', 'AVX-512 VNNI'],
  ['avx_vnni', 'AVX-VNNI'],
  ['avx2', 'AVX2'],
  ['i8mm', 'I8MM'],
  ['asimddp', 'dot product'],
];

/** Describes this processor: architecture, widest instruction set, number of processors. */
export function processorClass() {
  const path = '/proc/cpuinfo';
  const line = existsSync(path)
    ? /^(?:flags|Features)\s*:.*/m.exec(readFileSync(path, 'utf8'))
    : null;
  const flags = line?.[0].split(/\s+/) ?? [];
  const widest = INSTRUCTIONS.find(([flag]) => flags.includes(flag))?.[1];
  const architecture = { x64: 'x86-64', arm64: 'Arm 64' }[process.arch] ?? process.arch;
  return `${architecture}${widest ? ` with ${widest}` : ''}, ${availableParallelism()} processors`;
}

/** Replaces a section of tests/measurements.md, or adds it at the end. */
export function writeSection(name, command, text) {
  const [begin, end] = [`<!-- begin: ${name} -->`, `<!-- end: ${name} -->`];
  const date = new Date().toISOString().slice(0, 10);
  const section = `${begin}\n\n\`${command}\` on ${date}: ${processorClass()}, Node ${process.versions.node}.\n\n${text.trim()}\n\n${end}`;
  const file = readFileSync(FILE, 'utf8');
  const [start, stop] = [file.indexOf(begin), file.indexOf(end)];
  writeFileSync(
    FILE,
    start < 0
      ? `${file.trimEnd()}\n\n## ${name}\n\n${section}\n`
      : `${file.slice(0, start)}${section}${file.slice(stop + end.length)}`,
  );
}

/** The command as it was called, for the first line of its section. */
export const commandLine = (script) => {
  const args = process.argv.slice(2).filter((arg) => arg !== '--write');
  return `npm run ${script}${args.length ? ` -- ${args.join(' ')}` : ''}`;
};
