// In: the path of a test built for wasm, and its arguments. Out: what it prints, and its exit code. The test is a WASI command that needs no files.
import { readFile } from 'node:fs/promises';
import { WASI } from 'node:wasi';

const [path, ...args] = process.argv.slice(2);
const wasi = new WASI({ version: 'preview1', args: [path, ...args], returnOnExit: true });
const { instance } = await WebAssembly.instantiate(await readFile(path), {
  ...wasi.getImportObject(),
  env: { emscripten_notify_memory_growth() {} },
});
process.exitCode = wasi.start(instance);
