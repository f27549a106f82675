// Writes tests/measurements.md. Each command that measures writes its own section between two
// markers.
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';

const FILE = fileURLToPath(new URL('../measurements.md', import.meta.url));

/** The instruction sets that decide how fast native kernels are, widest first. */
const NATIVE = [
  ['amx_int8', 'AMX and AVX-512 VNNI'],
  ['avx512_vnni', 'AVX-512 VNNI'],
  ['avx_vnni', 'AVX-VNNI'],
  ['avx2', 'AVX2'],
  ['i8mm', 'I8MM'],
  ['asimddp', 'dot product'],
];

/** Those of x86-64 that browsers use, widest first: V8 has no instruction of AVX-512. */
const BROWSERS = [
  ['avx_vnni', 'AVX-VNNI'],
  ['avx2', 'AVX2'],
];

/** What --class avx2 switches off, as the text of a section says it. */
const RUN_AS = {
  avx2: "run as AVX2 (V8 without VNNI, llama.cpp's libraries up to haswell)",
};

/** Describes this processor: architecture, widest instruction set, that of browsers if it is
 *  another one, and the number of processors. name: the class that --class names. */
export function processorClass(name) {
  const path = '/proc/cpuinfo';
  const line = existsSync(path)
    ? /^(?:flags|Features)\s*:.*/m.exec(readFileSync(path, 'utf8'))
    : null;
  const flags = line?.[0].split(/\s+/) ?? [];
  const widest = (list) => list.find(([flag]) => flags.includes(flag))?.[1];
  const [native, browsers] = [widest(NATIVE), widest(BROWSERS)];
  const architecture = { x64: 'x86-64', arm64: 'Arm 64' }[process.arch] ?? process.arch;
  const others = browsers && browsers !== native ? ` (browsers: ${browsers})` : '';
  const runAs = RUN_AS[name] ? `, ${RUN_AS[name]}` : others;
  const text = `${architecture}${native ? ` with ${native}` : ''}${runAs}`;
  return `${text}, ${availableParallelism()} processors`;
}

/** Replaces a section of tests/measurements.md, or adds it at the end. */
export function writeSection(name, command, text, processor = processorClass()) {
  const [begin, end] = [`<!-- begin: ${name} -->`, `<!-- end: ${name} -->`];
  const date = new Date().toISOString().slice(0, 10);
  const section = `${begin}\n\n\`${command}\` on ${date}: ${processor}, Node ${process.versions.node}.\n\n${text.trim()}\n\n${end}`;
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
