/** Chooses one of the builds that a program has for this runtime. */
import type { BuildUrls } from '../platform/builds.js';
import { TokenglassError } from '../types/errors.js';
import type { KernelVariant } from '../types/types.js';
import { relaxedDotIsRight, requireSimd } from './instance.js';

const has = (builds: BuildUrls, variant: KernelVariant) =>
  variant in builds || `${variant}.threads` in builds;

const unsupported = (message: string) => new TokenglassError('ENGINE_UNSUPPORTED', message);

/**
 * The requested variant, or else the fastest that is among the builds, validates and passes its
 * self-test. Throws ENGINE_UNSUPPORTED.
 */
function chooseVariant(requested: KernelVariant | undefined, builds: BuildUrls): KernelVariant {
  requireSimd();
  const names = Object.keys(builds).join(', ');
  if (requested && !has(builds, requested))
    throw unsupported(
      `kernels is "${requested}", but the program has the build ${names} only: import another ` +
        'entry of the package, or add the build to the option builds',
    );
  if ((requested ?? 'relaxed') === 'relaxed' && has(builds, 'relaxed')) {
    if (relaxedDotIsRight()) return 'relaxed';
    if (requested || !has(builds, 'simd128'))
      throw unsupported(
        'relaxed WebAssembly SIMD is missing in this runtime or fails its self-test' +
          (requested ? '' : ', and the program has no simd128 build: add it to the option builds'),
      );
  }
  return 'simd128';
}

/** A build, and why it has no threads although more than one was requested. */
export interface ChosenBuild {
  url: string;
  /** Why there is one thread although more were requested. */
  note: string | undefined;
  /** Whether the build is made for threads, by its name. */
  threads: boolean;
  /** The build without threads; undefined when the program has none. */
  plain: string | undefined;
}

/**
 * The build for a number of threads. note: why there can be no threads in this runtime. Throws
 * ENGINE_UNSUPPORTED.
 */
export function chooseBuild(
  builds: BuildUrls,
  kernels: KernelVariant | undefined,
  n_threads: number,
  note: string | undefined,
): ChosenBuild {
  const variant = chooseVariant(kernels, builds);
  const threaded = builds[`${variant}.threads`];
  const plain = builds[variant];
  const wanted = n_threads > 1 || plain === undefined;
  if (wanted && threaded !== undefined && note === undefined)
    return { url: threaded, note, threads: true, plain };
  if (plain === undefined)
    throw unsupported(
      `the build ${variant}.threads cannot run here (${note}), and the program has no build ` +
        `without threads: add ${variant} to the option builds`,
    );
  const missing =
    threaded === undefined ? `the program has no build ${variant}.threads` : undefined;
  return { url: plain, note: n_threads > 1 ? (note ?? missing) : undefined, threads: false, plain };
}
