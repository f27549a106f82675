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

/** The text of tests/measurements.md. */
export const measurements = () => readFileSync(FILE, 'utf8');

/**
 * The file with a section replaced. A section that is not there yet comes after the last of
 * `beside`, names of sections, that is there, or else at the end.
 */
export function withSection(file, name, section, beside = []) {
  const [begin, end] = [`<!-- begin: ${name} -->`, `<!-- end: ${name} -->`];
  const marked = `${begin}\n\n${section}\n\n${end}`;
  const [start, stop] = [file.indexOf(begin), file.indexOf(end)];
  if (start >= 0) return `${file.slice(0, start)}${marked}${file.slice(stop + end.length)}`;
  const after = beside
    .map((other) => `<!-- end: ${other} -->`)
    .filter((marker) => file.includes(marker))
    .map((marker) => file.indexOf(marker) + marker.length);
  const at = after.length > 0 ? Math.max(...after) : file.trimEnd().length;
  return `${file.slice(0, at)}\n\n## ${name}\n\n${marked}\n${file.slice(at).replace(/^\n?/, '')}`;
}

/** Replaces a section of tests/measurements.md, or adds it where withSection says. */
export function writeSection(
  name,
  command,
  text,
  { processor = processorClass(), beside = [] } = {},
) {
  const date = new Date().toISOString().slice(0, 10);
  const head = `\`${command}\` on ${date}: ${processor}, Node ${process.versions.node}.`;
  const file = withSection(measurements(), name, `${head}\n\n${text.trim()}`, beside);
  writeFileSync(FILE, file);
}

/** The command as it was called, for the first line of its section. */
export const commandLine = (script) => {
  const args = process.argv
    .slice(2)
    .filter((arg) => arg !== '--write')
    .map((arg) => (/^[\w,.=-]+$/.test(arg) ? arg : `"${arg}"`));
  return `npm run ${script}${args.length ? ` -- ${args.join(' ')}` : ''}`;
};
