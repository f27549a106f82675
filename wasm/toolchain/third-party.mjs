// Writes THIRD-PARTY.txt: whose code the files of a build contain, each with its license. For the
// modules esbuild's metafiles say which npm packages were bundled; the license texts come from the
// packages. What the linker adds to the wasm files is listed here, with texts in licenses/.
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';

const LICENSES = new URL('licenses/', import.meta.url);
const LICENSE_FILE = /^(licen[sc]e|copying|notice)\b/i;
const PACKAGE_FOLDER = /^(?:.*\/)?node_modules\/((?:@[^/]+\/)?[^/]+)(?=\/)/;

const license = (name) => readFileSync(new URL(`${name}.txt`, LICENSES), 'utf8').trim();

/** What the wasm files contain besides this project's code. */
const IN_WASM = [
  ['Emscripten, the runtime of the wasm files', ['emscripten']],
  ['musl, the C library of the wasm files', ['musl']],
  ['compiler-rt, from LLVM, in the wasm files', ['Apache-2.0', 'LLVM-exception']],
  ['Unicode Character Database, the properties of characters in the wasm files', ['unicode']],
];

/** The folders of the npm packages whose code is in the outputs, relative to the root. */
function bundledFolders(metafiles) {
  const used = metafiles.flatMap(({ outputs }) =>
    Object.values(outputs).flatMap(({ inputs }) =>
      Object.keys(inputs).filter((path) => inputs[path].bytesInOutput > 0),
    ),
  );
  return new Set(used.map((path) => PACKAGE_FOLDER.exec(path)?.[0]).filter(Boolean));
}

/** The license texts of a package: its own files, or the text of the license that it names. */
function textsOf(folder, name, id) {
  const files = readdirSync(folder).filter((file) => LICENSE_FILE.test(file));
  if (files.length)
    return files.sort().map((file) => readFileSync(join(folder, file), 'utf8').trim());
  try {
    return [license(id)];
  } catch (cause) {
    throw new Error(
      `${name} is bundled and has no license file: add its text as licenses/${id}.txt`,
      { cause },
    );
  }
}

/** metafiles: of all bundles that the file is about. */
export function thirdParty(root, metafiles) {
  const packages = [...bundledFolders(metafiles)].map((path) => {
    const folder = join(root, path);
    const { name, version, license: id } = JSON.parse(readFileSync(join(folder, 'package.json')));
    return [`${name} ${version} (${id})`, textsOf(folder, name, id)];
  });
  packages.sort(([a], [b]) => (a < b ? -1 : 1));
  const sections = [
    ...packages,
    ...IN_WASM.map(([title, names]) => [title, names.map(license)]),
  ].map(([title, texts]) => [`${'='.repeat(80)}\n${title}`, ...texts].join('\n\n'));
  const head =
    'tokenglass contains code of others: in its modules the npm packages below, in its wasm files\n' +
    'the libraries after them. Their licenses ask that these notices go with the code.';
  return `${[head, ...sections].join('\n\n\n')}\n`;
}
