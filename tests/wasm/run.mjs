// Runs a test that was built for wasm: takes the module's path and arguments, prints what the test
// prints and exits with its code. The test is a WASI command that needs no files.
import { readFile } from 'node:fs/promises';
import { WASI } from 'node:wasi';

const [path, ...args] = process.argv.slice(2);
const wasi = new WASI({ version: 'preview1', args: [path, ...args], returnOnExit: true });
const { instance } = await WebAssembly.instantiate(await readFile(path), {
  ...wasi.getImportObject(),
  env: { emscripten_notify_memory_growth() {} },
});
process.exitCode = wasi.start(instance);
