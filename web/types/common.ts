/** Types that several parts of the public API share. */
export type { ArchitectureName, KernelDotName, ProfileStepName, QuantName } from './generated.js';
export type { CacheTypeName, KernelVariantName } from './generated-load.js';
export type {
  StageChain,
  StageInfo,
  StageListName,
  StageName,
  StageOptionInfo,
  StageOptionName,
  StageParams,
} from './generated-stages.js';
export type { ErrorCode, ErrorInfo } from './generated-errors.js';

declare global {
  interface SymbolConstructor {
    /** The key of the method that `await using` calls. Declared here for older `lib` settings. */
    readonly asyncDispose: unique symbol;
  }
}

/** A text, or the ids of its tokens. */
export type TextOrIds = string | readonly number[];

/** Bytes in a buffer of their own, for new Blob or a file. */
export type Bytes = ReturnType<Uint8ArrayConstructor['from']>;

/** What every call that takes a while accepts. */
export interface CallOptions {
  /**
   * Aborts the call: its promise rejects with the signal's reason, which is an AbortError unless
   * the program gave another. Default: none.
   */
  signal?: AbortSignal;
}

/** Numbers of layers, heads or positions, from 0; 'all': every one. */
export type NumberList = readonly number[] | 'all';
