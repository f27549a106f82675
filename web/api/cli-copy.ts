/**
 * The command --copy-files: copies the files that the package loads at run time into a folder, for
 * bundlers that do not copy them.
 */
import { copyFile, mkdir, stat } from 'node:fs/promises';
import { basename, join, resolve, sep } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { buildNames, fileOf } from '../platform/builds.js';
import { suggestion } from '../types/names.js';
import type { BuildName } from '../types/types.js';
import { CommandError, UsageError } from './cli-options.js';

const MODEL = 'storybook-q8_0';
const WORKERS = ['worker.js', 'worker-node.mjs'];
/** Folders that servers show as the root of a site. */
const SITE_ROOTS = /^(public|static|dist|build|out|www|site)$/;

/** What --copy-files takes. */
export interface CopyOptions {
  /** The folder to copy to. */
  folder: string;
  /** Names of builds, separated by commas; undefined: all. */
  builds: string | undefined;
  /** Whether to copy the built-in model. */
  model: boolean;
}

/** A file to copy: a path in the package's folder, and the name of the copy. */
type Copy = readonly [from: string, name: string];

/** The builds that the user names. */
function chosenBuilds(list: string | undefined): readonly BuildName[] {
  if (list === undefined) return buildNames;
  const names = list.split(',').map((name) => name.trim());
  const isKnown = (name: string): name is BuildName => buildNames.includes(name as BuildName);
  const bad = names.find((name) => !isKnown(name));
  if (bad !== undefined)
    throw new UsageError(`--builds: there is no build "${bad}"${suggestion(bad, buildNames)}`);
  return [...new Set(names.filter(isKnown))];
}

/** Why a file system refuses: "permission denied (EACCES)" of a message with more details. */
const reasonOf = (error: unknown) => {
  const { code, message } = error as NodeJS.ErrnoException;
  const reason = message.split(/: |, /)[1] ?? message;
  return code ? `${reason} (${code})` : message;
};

const kilobytes = (bytes: number) => `${Math.ceil(bytes / 1000).toLocaleString('en')} kB`;

/** The address of a folder on its site, as far as its path tells. */
function siteAddress(folder: string): string {
  const parts = resolve(folder).split(sep);
  const root = parts.findLastIndex((name) => SITE_ROOTS.test(name));
  const inside = root < 0 ? [basename(folder)] : parts.slice(root + 1);
  return ['', ...inside, ''].join('/');
}

/** How loadModel finds the files. */
function advice(folder: string, builds: readonly string[], all: boolean): string {
  const several = !all && builds.length > 1; // the other ways load the builds of their entry
  const named = (i: number) => `build as build${i + 1}`;
  const entries = all ? [''] : builds.map((name) => `/${name}`);
  const imports = entries.map((entry, i) => {
    const names = [...(i === 0 ? ['loadModel'] : []), ...(several ? [named(i)] : [])];
    return `  import { ${names.join(', ')} } from 'tokenglass${entry}';`;
  });
  const list = builds.map((_, i) => `build${i + 1}`).join(', ');
  const more = several ? `, builds: [${list}]` : '';
  return [
    "In a page, give the folder's address on your site as base_url, for example:",
    '',
    ...imports,
    `  const model = await loadModel(source, { base_url: '${siteAddress(folder)}'${more} });`,
    '',
    `In a bundle for Node: base_url: '${pathToFileURL(resolve(folder)).href}/'`,
  ].join('\n');
}

/** Copies the files. Returns what to tell the user. */
export async function copyFiles(options: CopyOptions): Promise<string> {
  const dist = fileURLToPath(new URL('./', import.meta.url));
  const { folder } = options;
  if (folder === '') throw new UsageError('--copy-files needs a folder');
  if (resolve(folder) === resolve(dist))
    throw new UsageError(`--copy-files: ${folder} is the folder of the package's own files`);
  const builds = chosenBuilds(options.builds);
  const copies: Copy[] = [
    ...[...WORKERS, ...builds.map(fileOf)].map((name) => [`dist/${name}`, name] as const),
    ['LICENSE', 'tokenglass.LICENSE.txt'],
    ['dist/THIRD-PARTY.txt', 'tokenglass.THIRD-PARTY.txt'],
  ];
  if (options.model) {
    copies.push(
      [`dist/${MODEL}.gguf`, `${MODEL}.gguf`],
      ['demo/model/README.md', `${MODEL}.README.md`],
      ['demo/model/CREDITS.tsv', `${MODEL}.CREDITS.tsv`],
    );
  }
  const failed = (what: string) => (error: unknown) => {
    throw new CommandError(`${what}: ${reasonOf(error)}`, { cause: error });
  };
  await mkdir(folder, { recursive: true }).catch(failed(`the folder ${folder} cannot be made`));
  const lines: string[] = [];
  for (const [from, name] of copies) {
    const source = join(dist, '..', from);
    const { size } = await stat(source).catch(failed(`the package has no ${from}`));
    await copyFile(source, join(folder, name)).catch(
      failed(`${name} cannot be written to ${folder}`),
    );
    lines.push(`  ${name.padEnd(34)}${kilobytes(size).padStart(9)}`);
  }
  const all = builds.length === buildNames.length;
  return `Copied to ${folder}:\n${lines.join('\n')}\n\n${advice(folder, builds, all)}\n`;
}
