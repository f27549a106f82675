// The addresses of the project: package.json has them, and no other file repeats them, so that the
// owner of the project fills them in at one place.
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const DOCUMENTS = ['README.md', 'CONTRIBUTING.md', 'CHANGELOG.md'];

/** The parts of package.json that have an address, and how npm opens it. */
const FIELDS = {
  homepage: ({ homepage }) => homepage,
  'repository.url': ({ repository }) => repository?.url,
  'bugs.url': ({ bugs }) => bugs?.url,
};

/** What every way to write an address has in common: no scheme, no .git, no slash at the end. */
const plain = (address) =>
  address.replace(/^(git\+)?[a-z]+:\/\//, '').replace(/(\.git)?\/?(#.*)?$/, '');

/** The faults of these fields and of the files that repeat them, a line each. */
export function addressFaults(fields, files) {
  const addresses = Object.entries(FIELDS).map(([name, read]) => [name, read(fields)]);
  const faults = addresses
    .filter(([, address]) => typeof address !== 'string' || !/^(git\+)?https:\/\//.test(address))
    .map(([name]) => `package.json: ${name} is no https address`);
  if (faults.length) return faults;
  for (const [name, address] of addresses) {
    for (const [file, text] of files) {
      // git@host:path is git's short form of ssh://git@host/path
      if (text.replace(/(git@[^\s:]+):/g, '$1/').includes(plain(address)))
        faults.push(`${file}: has the address that ${name} in package.json has; name the field`);
    }
  }
  return faults;
}

/** files: relative paths, as lint.mjs lists them. */
export const addressChecks = (root, files) => ({
  'addresses of the project in package.json only': () => {
    const read = (file) => readFileSync(join(root, file), 'utf8');
    const texts = new Set([
      ...files.filter((file) => !/\.(gguf|wasm|png)$/.test(file)),
      ...DOCUMENTS,
    ]);
    return addressFaults(
      JSON.parse(read('package.json')),
      [...texts].filter((file) => existsSync(join(root, file))).map((file) => [file, read(file)]),
    );
  },
});
