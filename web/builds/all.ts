/** All builds of the engine. */
import type { EngineBuild } from '../types/types.js';
import { build as relaxed } from './relaxed.js';
import { build as relaxedThreads } from './relaxed.threads.js';
import { build as simd128 } from './simd128.js';
import { build as simd128Threads } from './simd128.threads.js';

export const builds: readonly EngineBuild[] = [simd128, relaxed, simd128Threads, relaxedThreads];
