/**
 * Written by wasm/toolchain/generate.mjs from wasm/boundary.def. Change the rows, not this file.
 * The engine's exported functions as methods with named arguments and results, and the structs
 * that both sides read. A record holds what was read; addresses in it are valid as long as the C
 * side says.
 */

/** The functions that every build of the engine exports. */
export type ExportName =
  | 'model_new'
  | 'model_free'
  | 'model_thread_main'
  | 'model_thread_died'
  | 'model_error'
  | 'model_feed'
  | 'model_get_state'
  | 'model_get_plan'
  | 'model_allocate'
  | 'model_finish'
  | 'model_get_info'
  | 'model_get_quant'
  | 'model_get_key'
  | 'model_get_key_text'
  | 'model_get_tensor'
  | 'model_get_warning'
  | 'model_bos'
  | 'model_eos'
  | 'model_n_decoded'
  | 'model_get_profile'
  | 'model_tokenize'
  | 'model_detokenize'
  | 'model_sequence_breakers'
  | 'model_token'
  | 'model_token_texts'
  | 'session_new'
  | 'session_free'
  | 'session_fork'
  | 'session_release_cache'
  | 'session_tokens'
  | 'session_sync'
  | 'session_rewind'
  | 'session_append'
  | 'session_accept'
  | 'session_shift'
  | 'session_n_discarded'
  | 'session_pending'
  | 'sessions_eval'
  | 'session_draft'
  | 'session_draft_ngram'
  | 'session_draft_recycling'
  | 'session_draft_forced'
  | 'session_draft_use'
  | 'session_logits'
  | 'session_sample'
  | 'session_score'
  | 'session_hidden_states'
  | 'model_output_rows'
  | 'model_get_layer'
  | 'session_set_edits'
  | 'session_get_edit_report'
  | 'session_next_batch'
  | 'session_observe'
  | 'grammar_new'
  | 'grammar_free'
  | 'grammar_memory'
  | 'grammar_ends'
  | 'grammar_begin'
  | 'grammar_state_free'
  | 'grammar_state_mask'
  | 'grammar_state_accept'
  | 'grammar_state_forced'
  | 'grammar_state_accept_bytes'
  | 'grammar_state_is_complete'
  | 'grammar_state_has_ended'
  | 'session_save_snapshot_begin'
  | 'session_snapshot_chunk'
  | 'session_load_snapshot_begin'
  | 'session_load_snapshot_commit';

/** The size of the largest result of a function. */
export const OUT_BYTES = 1028;

export const ERROR_BYTES = 256;

/** tg_error in C. */
export interface ErrorRecord {
  status: number;
  offset: bigint;
  message: string;
}

export const MODEL_PLAN_BYTES = 40;

/** tg_model_plan in C. */
export interface ModelPlanRecord {
  file: bigint;
  header: bigint;
  weights: bigint;
  kv: bigint;
  scratch: bigint;
}

export const MODEL_INFO_BYTES = 112;

/** tg_model_info in C. */
export interface ModelInfoRecord {
  architecture: string | undefined;
  name: string | undefined;
  chat_template: string | undefined;
  n_vocab: number;
  n_ctx_train: number;
  n_ctx: number;
  n_kv: number;
  n_layer: number;
  n_embd: number;
  n_head: number;
  n_head_kv: number;
  n_ff: number;
  n_params: bigint;
  fingerprint: Uint8Array;
  kernel_variant: string | undefined;
  kernel_dot: string | undefined;
  cache_type_k: number;
  cache_type_v: number;
  n_states: number;
  tied_output: boolean;
}

export const LIST_BYTES = 12;

/** tg_list in C. */
export interface ListRecord {
  tokens: number;
  values: number;
  n: number;
}

export const CANDIDATE_BYTES = 32;

/** tg_candidate in C. */
export interface CandidateRecord {
  token: number;
  logit: number;
  p: number;
  p_final: number;
  removed_by: number;
}

export const STAGE_TRACE_BYTES = 176;

/** tg_stage_trace in C. */
export interface StageTraceRecord {
  stage: number;
  kept: number;
  removed: number;
  mass_before: number;
  mass_after: number;
  threshold: number;
  coin: number;
  reason: string;
}

export const SCORE_BYTES = 24;

/** tg_score in C. */
export interface ScoreRecord {
  token: number;
  logprob: number;
  rank: number;
  entropy: number;
  top_mass: number;
  tied: number;
}

export const TOP_BYTES = 8;

/** tg_top in C. */
export interface TopRecord {
  token: number;
  logprob: number;
}

export const LENS_TARGET_BYTES = 8;

/** tg_lens_target in C. */
export interface LensTargetRecord {
  logprob: number;
  rank: number;
}

export const EDIT_BYTES = 48;

/** tg_edit in C. */
export interface EditRecord {
  kind: number;
  layers: number;
  heads: number;
  positions: number;
  n_layers: number;
  n_heads: number;
  n_positions: number;
  values: number;
  bytes: number;
  n_values: number;
  n_bytes: number;
  options: number;
}

export const OBSERVATION_BYTES = 132;

/** tg_observation in C. */
export interface ObservationRecord {
  logit_positions: number;
  logits: number;
  residual_layers: number;
  residual_positions: number;
  residuals: number;
  lens_layers: number;
  lens_positions: number;
  lens_targets: number;
  lens_tops: number;
  lens_entropies: number;
  lens_scores: number;
  attention_layers: number;
  attention_heads: number;
  attention_queries: number;
  attention: number;
  output_layers: number;
  output_heads: number;
  output_positions: number;
  outputs: number;
  n_logit_positions: number;
  n_residual_layers: number;
  n_residual_positions: number;
  n_lens_layers: number;
  n_lens_positions: number;
  n_lens_targets: number;
  lens_top_n: number;
  n_attention_layers: number;
  n_attention_heads: number;
  n_attention_queries: number;
  n_keys: number;
  n_output_layers: number;
  n_output_heads: number;
  n_output_positions: number;
}

export const SNAPSHOT_HEADER_BYTES = 168;

/** tg_snapshot_header in C. */
export interface SnapshotHeaderRecord {
  magic: string;
  digest: Uint8Array;
  fingerprint: Uint8Array;
  variant: string;
  dot: string;
  cache_k: string;
  cache_v: string;
  user_data: bigint;
  page_bytes: bigint;
  n_vocab: number;
  n_tokens: number;
  n_cached: number;
  logits_at: number;
  n_discarded: number;
  n_keep: number;
  n_pages: number;
  state_size: number;
}

export const PROFILE_STEP_BYTES = 16;

/** tgw_profile_step in C. */
export interface ProfileStepRecord {
  name: string | undefined;
  ms: number;
}

export const QUANT_BYTES = 16;

/** tgw_quant in C. */
export interface QuantRecord {
  n_tensors: number;
  n_params: bigint;
}

export const KEY_BYTES = 1028;

/** tgw_key in C. */
export interface KeyRecord {
  name: string | undefined;
  value: string;
}

export const KEY_TEXT_BYTES = 4;

/** tgw_key_text in C. */
export interface KeyTextRecord {
  text: string | undefined;
}

export const WARNING_BYTES = 4;

/** tgw_warning in C. */
export interface WarningRecord {
  text: string | undefined;
}

export const TENSOR_BYTES = 64;

/** tgw_tensor in C. */
export interface TensorRecord {
  name: string | undefined;
  type: number;
  n_dims: number;
  dim0: bigint;
  dim1: bigint;
  dim2: bigint;
  dim3: bigint;
  offset: bigint;
  size: bigint;
}

export const TOKEN_INFO_BYTES = 20;

/** tgw_token_info in C. */
export interface TokenInfoRecord {
  bytes: number;
  n_bytes: number;
  text: number;
  n_text: number;
  eog: boolean;
}

export const TOKENS_BYTES = 8;

/** tgw_tokens in C. */
export interface TokensRecord {
  ids: number;
  n: number;
}

export const DRAFT_USE_BYTES = 8;

/** tgw_draft_use in C. */
export interface DraftUseRecord {
  proposed: number;
  accepted: number;
}

export const CHUNK_BYTES = 8;

/** tgw_chunk in C. */
export interface ChunkRecord {
  bytes: number;
  n: number;
}

export const CHOICE_BYTES = 120;

/** tgw_choice in C. */
export interface ChoiceRecord {
  token: number;
  logprob: number;
  rank: number;
  u: number;
  low: number;
  high: number;
  other: number;
  entropy: number;
  mu: number;
  position: number;
  trace: number;
  candidates: number;
  n_candidates: number;
  stages: number;
  n_stages: number;
  removed_by: number;
  p: number;
  p_final: number;
  logits: number;
}

export const LAYER_BYTES = 16;

/** tgw_layer in C. */
export interface LayerRecord {
  mixer: string | undefined;
  n_head_kv: number;
  head_dim: number;
  window: number;
}

export const EDIT_REPORT_BYTES = 72;

/** tgw_edit_report in C. */
export interface EditReportRecord {
  kind: number;
  c0: number;
  c1: number;
  c2: number;
  c3: number;
  c4: number;
  c5: number;
  c6: number;
  c7: number;
}

export const NEXT_BATCH_BYTES = 8;

/** tgw_next_batch in C. */
export interface NextBatchRecord {
  first: number;
  n: number;
}

export const GRAMMAR_MASK_BYTES = 8;

/** tgw_grammar_mask in C. */
export interface GrammarMaskRecord {
  bits: number;
  n: number;
}

/** Calls of one engine with one model. Engine has the means. */
export abstract class Boundary {
  /** The address of OUT_BYTES for the result of a call. */
  abstract readonly out: number;
  /** The address of the model; 0: none. */
  abstract model: number;
  /** Calls an exported function. */
  protected abstract call(name: ExportName, ...args: number[]): number;
  /** Calls an exported function that returns a status and throws if the status is not OK. */
  protected abstract check(name: ExportName, ...args: number[]): void;
  /** A view of the whole memory as it is now. */
  protected abstract view(): DataView;
  /** A part of the memory as it is now. */
  abstract bytes(address: number, length: number): Uint8Array;
  /** The string at the address: up to a NUL, or maxLength bytes. */
  protected abstract stringAt(address: number, maxLength?: number): string;

  /** The NUL-terminated string at the address; undefined for NULL. */
  protected stringOf(address: number): string | undefined {
    return address ? this.stringAt(address) : undefined;
  }

  // ---- structs ----

  readError(address: number): ErrorRecord {
    const view = this.view();
    return {
      status: view.getUint32(address, true),
      offset: view.getBigInt64(address + 8, true),
      message: this.stringAt(address + 16, 240),
    };
  }

  readModelPlan(address: number): ModelPlanRecord {
    const view = this.view();
    return {
      file: view.getBigUint64(address, true),
      header: view.getBigUint64(address + 8, true),
      weights: view.getBigUint64(address + 16, true),
      kv: view.getBigUint64(address + 24, true),
      scratch: view.getBigUint64(address + 32, true),
    };
  }

  readModelInfo(address: number): ModelInfoRecord {
    const view = this.view();
    return {
      architecture: this.stringOf(view.getUint32(address, true)),
      name: this.stringOf(view.getUint32(address + 4, true)),
      chat_template: this.stringOf(view.getUint32(address + 8, true)),
      n_vocab: view.getUint32(address + 12, true),
      n_ctx_train: view.getUint32(address + 16, true),
      n_ctx: view.getUint32(address + 20, true),
      n_kv: view.getUint32(address + 24, true),
      n_layer: view.getUint32(address + 28, true),
      n_embd: view.getUint32(address + 32, true),
      n_head: view.getUint32(address + 36, true),
      n_head_kv: view.getUint32(address + 40, true),
      n_ff: view.getUint32(address + 44, true),
      n_params: view.getBigUint64(address + 48, true),
      fingerprint: this.bytes(address + 56, 32).slice(),
      kernel_variant: this.stringOf(view.getUint32(address + 88, true)),
      kernel_dot: this.stringOf(view.getUint32(address + 92, true)),
      cache_type_k: view.getUint32(address + 96, true),
      cache_type_v: view.getUint32(address + 100, true),
      n_states: view.getUint32(address + 104, true),
      tied_output: view.getUint8(address + 108) !== 0,
    };
  }

  writeList(address: number, record: ListRecord): void {
    const view = this.view();
    view.setUint32(address, record.tokens, true);
    view.setUint32(address + 4, record.values, true);
    view.setUint32(address + 8, record.n, true);
  }

  readCandidate(address: number): CandidateRecord {
    const view = this.view();
    return {
      token: view.getInt32(address, true),
      logit: view.getFloat32(address + 4, true),
      p: view.getFloat64(address + 8, true),
      p_final: view.getFloat64(address + 16, true),
      removed_by: view.getInt32(address + 24, true),
    };
  }

  readStageTrace(address: number): StageTraceRecord {
    const view = this.view();
    return {
      stage: view.getUint32(address, true),
      kept: view.getUint32(address + 4, true),
      removed: view.getUint32(address + 8, true),
      mass_before: view.getFloat64(address + 16, true),
      mass_after: view.getFloat64(address + 24, true),
      threshold: view.getFloat64(address + 32, true),
      coin: view.getFloat64(address + 40, true),
      reason: this.stringAt(address + 48, 128),
    };
  }

  readScore(address: number): ScoreRecord {
    const view = this.view();
    return {
      token: view.getInt32(address, true),
      logprob: view.getFloat32(address + 4, true),
      rank: view.getInt32(address + 8, true),
      entropy: view.getFloat32(address + 12, true),
      top_mass: view.getFloat32(address + 16, true),
      tied: view.getInt32(address + 20, true),
    };
  }

  readTop(address: number): TopRecord {
    const view = this.view();
    return {
      token: view.getInt32(address, true),
      logprob: view.getFloat32(address + 4, true),
    };
  }

  readLensTarget(address: number): LensTargetRecord {
    const view = this.view();
    return {
      logprob: view.getFloat32(address, true),
      rank: view.getInt32(address + 4, true),
    };
  }

  writeEdit(address: number, record: EditRecord): void {
    const view = this.view();
    view.setUint32(address, record.kind, true);
    view.setUint32(address + 4, record.layers, true);
    view.setUint32(address + 8, record.heads, true);
    view.setUint32(address + 12, record.positions, true);
    view.setUint32(address + 16, record.n_layers, true);
    view.setUint32(address + 20, record.n_heads, true);
    view.setUint32(address + 24, record.n_positions, true);
    view.setUint32(address + 28, record.values, true);
    view.setUint32(address + 32, record.bytes, true);
    view.setUint32(address + 36, record.n_values, true);
    view.setUint32(address + 40, record.n_bytes, true);
    view.setUint32(address + 44, record.options, true);
  }

  writeObservation(address: number, record: ObservationRecord): void {
    const view = this.view();
    view.setUint32(address, record.logit_positions, true);
    view.setUint32(address + 4, record.logits, true);
    view.setUint32(address + 8, record.residual_layers, true);
    view.setUint32(address + 12, record.residual_positions, true);
    view.setUint32(address + 16, record.residuals, true);
    view.setUint32(address + 20, record.lens_layers, true);
    view.setUint32(address + 24, record.lens_positions, true);
    view.setUint32(address + 28, record.lens_targets, true);
    view.setUint32(address + 32, record.lens_tops, true);
    view.setUint32(address + 36, record.lens_entropies, true);
    view.setUint32(address + 40, record.lens_scores, true);
    view.setUint32(address + 44, record.attention_layers, true);
    view.setUint32(address + 48, record.attention_heads, true);
    view.setUint32(address + 52, record.attention_queries, true);
    view.setUint32(address + 56, record.attention, true);
    view.setUint32(address + 60, record.output_layers, true);
    view.setUint32(address + 64, record.output_heads, true);
    view.setUint32(address + 68, record.output_positions, true);
    view.setUint32(address + 72, record.outputs, true);
    view.setUint32(address + 76, record.n_logit_positions, true);
    view.setUint32(address + 80, record.n_residual_layers, true);
    view.setUint32(address + 84, record.n_residual_positions, true);
    view.setUint32(address + 88, record.n_lens_layers, true);
    view.setUint32(address + 92, record.n_lens_positions, true);
    view.setUint32(address + 96, record.n_lens_targets, true);
    view.setUint32(address + 100, record.lens_top_n, true);
    view.setUint32(address + 104, record.n_attention_layers, true);
    view.setUint32(address + 108, record.n_attention_heads, true);
    view.setUint32(address + 112, record.n_attention_queries, true);
    view.setUint32(address + 116, record.n_keys, true);
    view.setUint32(address + 120, record.n_output_layers, true);
    view.setUint32(address + 124, record.n_output_heads, true);
    view.setUint32(address + 128, record.n_output_positions, true);
  }

  readSnapshotHeader(address: number): SnapshotHeaderRecord {
    const view = this.view();
    return {
      magic: this.stringAt(address, 8),
      digest: this.bytes(address + 8, 32).slice(),
      fingerprint: this.bytes(address + 40, 32).slice(),
      variant: this.stringAt(address + 72, 16),
      dot: this.stringAt(address + 88, 16),
      cache_k: this.stringAt(address + 104, 8),
      cache_v: this.stringAt(address + 112, 8),
      user_data: view.getBigUint64(address + 120, true),
      page_bytes: view.getBigUint64(address + 128, true),
      n_vocab: view.getUint32(address + 136, true),
      n_tokens: view.getUint32(address + 140, true),
      n_cached: view.getUint32(address + 144, true),
      logits_at: view.getUint32(address + 148, true),
      n_discarded: view.getUint32(address + 152, true),
      n_keep: view.getUint32(address + 156, true),
      n_pages: view.getUint32(address + 160, true),
      state_size: view.getUint32(address + 164, true),
    };
  }

  readProfileStep(address: number): ProfileStepRecord {
    const view = this.view();
    return {
      name: this.stringOf(view.getUint32(address, true)),
      ms: view.getFloat64(address + 8, true),
    };
  }

  readQuant(address: number): QuantRecord {
    const view = this.view();
    return {
      n_tensors: view.getUint32(address, true),
      n_params: view.getBigUint64(address + 8, true),
    };
  }

  readKey(address: number): KeyRecord {
    const view = this.view();
    return {
      name: this.stringOf(view.getUint32(address, true)),
      value: this.stringAt(address + 4, 1024),
    };
  }

  readKeyText(address: number): KeyTextRecord {
    const view = this.view();
    return {
      text: this.stringOf(view.getUint32(address, true)),
    };
  }

  readWarning(address: number): WarningRecord {
    const view = this.view();
    return {
      text: this.stringOf(view.getUint32(address, true)),
    };
  }

  readTensor(address: number): TensorRecord {
    const view = this.view();
    return {
      name: this.stringOf(view.getUint32(address, true)),
      type: view.getUint32(address + 4, true),
      n_dims: view.getUint32(address + 8, true),
      dim0: view.getBigUint64(address + 16, true),
      dim1: view.getBigUint64(address + 24, true),
      dim2: view.getBigUint64(address + 32, true),
      dim3: view.getBigUint64(address + 40, true),
      offset: view.getBigUint64(address + 48, true),
      size: view.getBigUint64(address + 56, true),
    };
  }

  readTokenInfo(address: number): TokenInfoRecord {
    const view = this.view();
    return {
      bytes: view.getUint32(address, true),
      n_bytes: view.getUint32(address + 4, true),
      text: view.getUint32(address + 8, true),
      n_text: view.getUint32(address + 12, true),
      eog: view.getUint8(address + 16) !== 0,
    };
  }

  readTokens(address: number): TokensRecord {
    const view = this.view();
    return {
      ids: view.getUint32(address, true),
      n: view.getUint32(address + 4, true),
    };
  }

  readDraftUse(address: number): DraftUseRecord {
    const view = this.view();
    return {
      proposed: view.getUint32(address, true),
      accepted: view.getUint32(address + 4, true),
    };
  }

  readChunk(address: number): ChunkRecord {
    const view = this.view();
    return {
      bytes: view.getUint32(address, true),
      n: view.getUint32(address + 4, true),
    };
  }

  readChoice(address: number): ChoiceRecord {
    const view = this.view();
    return {
      token: view.getInt32(address, true),
      logprob: view.getFloat64(address + 8, true),
      rank: view.getUint32(address + 16, true),
      u: view.getFloat64(address + 24, true),
      low: view.getFloat64(address + 32, true),
      high: view.getFloat64(address + 40, true),
      other: view.getFloat64(address + 48, true),
      entropy: view.getFloat64(address + 56, true),
      mu: view.getFloat64(address + 64, true),
      position: view.getFloat64(address + 72, true),
      trace: view.getUint32(address + 80, true),
      candidates: view.getUint32(address + 84, true),
      n_candidates: view.getUint32(address + 88, true),
      stages: view.getUint32(address + 92, true),
      n_stages: view.getUint32(address + 96, true),
      removed_by: view.getUint32(address + 100, true),
      p: view.getUint32(address + 104, true),
      p_final: view.getUint32(address + 108, true),
      logits: view.getUint32(address + 112, true),
    };
  }

  readLayer(address: number): LayerRecord {
    const view = this.view();
    return {
      mixer: this.stringOf(view.getUint32(address, true)),
      n_head_kv: view.getUint32(address + 4, true),
      head_dim: view.getUint32(address + 8, true),
      window: view.getUint32(address + 12, true),
    };
  }

  readEditReport(address: number): EditReportRecord {
    const view = this.view();
    return {
      kind: view.getUint32(address, true),
      c0: view.getFloat64(address + 8, true),
      c1: view.getFloat64(address + 16, true),
      c2: view.getFloat64(address + 24, true),
      c3: view.getFloat64(address + 32, true),
      c4: view.getFloat64(address + 40, true),
      c5: view.getFloat64(address + 48, true),
      c6: view.getFloat64(address + 56, true),
      c7: view.getFloat64(address + 64, true),
    };
  }

  readNextBatch(address: number): NextBatchRecord {
    const view = this.view();
    return {
      first: view.getUint32(address, true),
      n: view.getUint32(address + 4, true),
    };
  }

  readGrammarMask(address: number): GrammarMaskRecord {
    const view = this.view();
    return {
      bits: view.getUint32(address, true),
      n: view.getUint32(address + 4, true),
    };
  }

  // ---- functions ----

  /**
   * Makes a model; 0 when memory is missing. file_size: bytes, 0 when unknown; n_ctx, n_kv: 0 for
   * the default; profile: measure the steps of the forward pass.
   */
  modelNew({
    file_size,
    n_ctx,
    n_kv,
    cache_type_k,
    cache_type_v,
    vocab_only,
    n_threads,
    profile,
  }: {
    file_size: number;
    n_ctx: number;
    n_kv: number;
    cache_type_k: number;
    cache_type_v: number;
    vocab_only: boolean;
    n_threads: number;
    profile: boolean;
  }): number {
    return (
      this.call(
        'model_new',
        file_size,
        n_ctx,
        n_kv,
        cache_type_k,
        cache_type_v,
        Number(vocab_only),
        n_threads,
        Number(profile),
      ) >>> 0
    );
  }

  /** Frees the model; its sessions must have been freed. */
  modelFree(): void {
    this.call('model_free', this.model);
  }

  /** Works as the model's thread number `thread` until the thread is terminated. */
  modelThreadMain(thread: number): void {
    this.call('model_thread_main', this.model, thread);
  }

  /** Makes every later call that runs the model fail with THREAD_LOST. */
  modelThreadDied(): void {
    this.call('model_thread_died', this.model);
  }

  /** The first error of the last failing call. */
  modelError(): ErrorRecord {
    return this.readError(this.call('model_error', this.model) >>> 0);
  }

  /** Feeds bytes[n] of the file; gives how many were consumed. Fewer than n: the plan is made. */
  modelFeed({ bytes, n }: { bytes: number; n: number }): number {
    this.check('model_feed', this.model, bytes, n, this.out);
    return this.view().getUint32(this.out, true);
  }

  /** The loading state: tg_model_state. */
  modelGetState(): number {
    return this.call('model_get_state', this.model) >>> 0;
  }

  /** What memory the model takes, in bytes. */
  modelGetPlan(): ModelPlanRecord {
    this.check('model_get_plan', this.model, this.out);
    return this.readModelPlan(this.out);
  }

  /** Allocates what the plan says. */
  modelAllocate(): void {
    this.check('model_allocate', this.model);
  }

  /** Ends the input. */
  modelFinish(): void {
    this.check('model_finish', this.model);
  }

  /** The model's hyper-parameters and how it runs. */
  modelGetInfo(): ModelInfoRecord {
    this.check('model_get_info', this.model, this.out);
    return this.readModelInfo(this.out);
  }

  /** How many tensors and parameters are of the weight type with this index in quant.def. */
  modelGetQuant(index: number): QuantRecord {
    this.check('model_get_quant', this.model, index, this.out);
    return this.readQuant(this.out);
  }

  /** A key of the header, also of a refused model; past the last key: undefined. */
  modelGetKey(index: number): KeyRecord | undefined {
    return this.call('model_get_key', this.model, index, this.out)
      ? this.readKey(this.out)
      : undefined;
  }

  /** The whole value of a key of the header that is a string; another value: undefined. */
  modelGetKeyText(index: number): KeyTextRecord | undefined {
    return this.call('model_get_key_text', this.model, index, this.out)
      ? this.readKeyText(this.out)
      : undefined;
  }

  /** A tensor by its offset, also of a refused model; past the last tensor: undefined. */
  modelGetTensor(index: number): TensorRecord | undefined {
    return this.call('model_get_tensor', this.model, index, this.out)
      ? this.readTensor(this.out)
      : undefined;
  }

  /** A fault of the file that does not keep the model from running; past the last: undefined. */
  modelGetWarning(index: number): WarningRecord | undefined {
    return this.call('model_get_warning', this.model, index, this.out)
      ? this.readWarning(this.out)
      : undefined;
  }

  /** The token that begins a text; -1: none. */
  modelBos(): number {
    return this.call('model_bos', this.model);
  }

  /** The token that ends a text; -1: none. */
  modelEos(): number {
    return this.call('model_eos', this.model);
  }

  /** How many tokens were run through the layers so far. */
  modelNDecoded(): number {
    return this.call('model_n_decoded', this.model);
  }

  /** The time of the step with this index in profile.def; undefined past the last. */
  modelGetProfile(index: number): ProfileStepRecord | undefined {
    return this.call('model_get_profile', this.model, index, this.out)
      ? this.readProfileStep(this.out)
      : undefined;
  }

  /**
   * Tokenizes text[length]; gives how many ids the text has, and writes at most `capacity`. ends:
   * 0, or [capacity] where each token's part of the text ends, in bytes.
   */
  modelTokenize({
    text,
    length,
    flags,
    ids,
    ends,
    capacity,
  }: {
    text: number;
    length: number;
    flags: number;
    ids: number;
    ends: number;
    capacity: number;
  }): number {
    this.check('model_tokenize', this.model, text, length, flags, ids, ends, capacity, this.out);
    return this.view().getUint32(this.out, true);
  }

  /** Writes at most `capacity` bytes of the text of ids[n]; gives how many bytes the text has. */
  modelDetokenize({
    ids,
    n,
    text,
    capacity,
  }: {
    ids: number;
    n: number;
    text: number;
    capacity: number;
  }): number {
    this.check('model_detokenize', this.model, ids, n, text, capacity, this.out);
    return this.view().getUint32(this.out, true);
  }

  /**
   * The token sequences that contain text[length], for DRY: a length, then that many ids, repeated.
   * Writes at most `capacity` numbers; gives how many numbers there are.
   */
  modelSequenceBreakers({
    text,
    length,
    ids,
    capacity,
  }: {
    text: number;
    length: number;
    ids: number;
    capacity: number;
  }): number {
    this.check('model_sequence_breakers', this.model, text, length, ids, capacity, this.out);
    return this.view().getUint32(this.out, true);
  }

  /** What the vocabulary says of a token. */
  modelToken(id: number): TokenInfoRecord {
    this.check('model_token', this.model, id, this.out);
    return this.readTokenInfo(this.out);
  }

  /**
   * Writes at most `capacity` bytes of the texts of the first n tokens for display, one after the
   * other, and ends[n], where each text ends; gives how many bytes the texts have.
   */
  modelTokenTexts({
    n,
    text,
    capacity,
    ends,
  }: {
    n: number;
    text: number;
    capacity: number;
    ends: number;
  }): number {
    this.check('model_token_texts', this.model, n, text, capacity, ends, this.out);
    return this.view().getUint32(this.out, true);
  }

  /** Makes an empty session; gives its address. */
  sessionNew(): number {
    this.check('session_new', this.model, this.out);
    return this.view().getUint32(this.out, true);
  }

  /** Frees the session. */
  sessionFree(session: number): void {
    this.call('session_free', session);
  }

  /** Makes a session with the same tokens that shares the cache; gives its address. */
  sessionFork(session: number): number {
    this.check('session_fork', session, this.out);
    return this.view().getUint32(this.out, true);
  }

  /** Gives back the session's share of the cache. */
  sessionReleaseCache(session: number): void {
    this.call('session_release_cache', session);
  }

  /** The session's tokens. */
  sessionTokens(session: number): TokensRecord {
    this.call('session_tokens', session, this.out);
    return this.readTokens(this.out);
  }

  /** Makes tokens[n] the session's tokens. */
  sessionSync({ session, tokens, n }: { session: number; tokens: number; n: number }): void {
    this.check('session_sync', session, tokens, n);
  }

  /** Keeps the first n tokens. */
  sessionRewind({ session, n }: { session: number; n: number }): void {
    this.check('session_rewind', session, n);
  }

  /** Appends a token. */
  sessionAppend({ session, token }: { session: number; token: number }): void {
    this.check('session_append', session, token);
  }

  /** Appends the token that session_sample drew. */
  sessionAccept({ session, trace }: { session: number; trace: number }): void {
    this.check('session_accept', session, trace);
  }

  /** Keeps the first n_keep tokens and discards the n_discard after them. */
  sessionShift({
    session,
    n_keep,
    n_discard,
  }: {
    session: number;
    n_keep: number;
    n_discard: number;
  }): void {
    this.check('session_shift', session, n_keep, n_discard);
  }

  /** How many tokens were discarded so far. */
  sessionNDiscarded(session: number): number {
    return this.call('session_n_discarded', session) >>> 0;
  }

  /** How many tokens must be run before there are logits. */
  sessionPending(session: number): number {
    return this.call('session_pending', session) >>> 0;
  }

  /**
   * Runs one batch of the pending tokens of sessions[n], at most max_tokens of them; with
   * max_layers above 0 that many of its layers. Gives whether the batch still has layers to run.
   */
  sessionsEval({
    sessions,
    n,
    max_tokens,
    max_layers,
  }: {
    sessions: number;
    n: number;
    max_tokens: number;
    max_layers: number;
  }): boolean {
    this.check('sessions_eval', sessions, n, max_tokens, max_layers, this.out);
    return this.view().getUint8(this.out) !== 0;
  }

  /** Proposes a tree of tokens[n] with parents[n] that may follow the session's tokens. */
  sessionDraft({
    session,
    tokens,
    parents,
    n,
  }: {
    session: number;
    tokens: number;
    parents: number;
    n: number;
  }): void {
    this.check('session_draft', session, tokens, parents, n);
  }

  /**
   * Proposes what followed the last tokens earlier in the session. costs: 0, or [max_nodes + 1].
   * Gives how many tokens.
   */
  sessionDraftNgram({
    session,
    max_nodes,
    costs,
  }: {
    session: number;
    max_nodes: number;
    costs: number;
  }): number {
    this.check('session_draft_ngram', session, max_nodes, costs, this.out);
    return this.view().getUint32(this.out, true);
  }

  /**
   * Proposes what the model thought likely after the same tokens. tree: an index into trees.def.
   */
  sessionDraftRecycling({
    session,
    tree,
    max_nodes,
    costs,
  }: {
    session: number;
    tree: number;
    max_nodes: number;
    costs: number;
  }): number {
    this.check('session_draft_recycling', session, tree, max_nodes, costs, this.out);
    return this.view().getUint32(this.out, true);
  }

  /** Proposes what the grammar forces; gives how many tokens. */
  sessionDraftForced({
    session,
    state,
    max_nodes,
  }: {
    session: number;
    state: number;
    max_nodes: number;
  }): number {
    this.check('session_draft_forced', session, state, max_nodes, this.out);
    return this.view().getUint32(this.out, true);
  }

  /** What became of the session's draft. */
  sessionDraftUse(session: number): DraftUseRecord {
    this.call('session_draft_use', session, this.out);
    return this.readDraftUse(this.out);
  }

  /** The address of n_vocab floats. */
  sessionLogits(session: number): number {
    this.check('session_logits', session, this.out);
    return this.view().getUint32(this.out, true);
  }

  /**
   * Chooses the next token without changing the session. options: a number for each TG_OPTION row
   * of stages.def; lists: one for each TG_LIST row; order[n_order]: stage numbers. after: 0, or
   * [n_order][n_vocab] for the probabilities after each stage.
   */
  sessionSample({
    session,
    options,
    lists,
    order,
    n_order,
    seed_low,
    seed_high,
    sample_index,
    top_n,
    after,
  }: {
    session: number;
    options: number;
    lists: number;
    order: number;
    n_order: number;
    seed_low: number;
    seed_high: number;
    sample_index: number;
    top_n: number;
    after: number;
  }): ChoiceRecord {
    this.check(
      'session_sample',
      session,
      options,
      lists,
      order,
      n_order,
      seed_low,
      seed_high,
      sample_index,
      top_n,
      after,
      this.out,
    );
    return this.readChoice(this.out);
  }

  /** Appends tokens[n] and writes scores[n] and, unless top_n is 0, tops[n][top_n]. */
  sessionScore({
    session,
    tokens,
    n,
    top_n,
    scores,
    tops,
  }: {
    session: number;
    tokens: number;
    n: number;
    top_n: number;
    scores: number;
    tops: number;
  }): void {
    this.check('session_score', session, tokens, n, top_n, scores, tops);
  }

  /** Appends tokens[n] and writes their last hidden states, states[n][n_embd]. */
  sessionHiddenStates({
    session,
    tokens,
    n,
    states,
  }: {
    session: number;
    tokens: number;
    n: number;
    states: number;
  }): void {
    this.check('session_hidden_states', session, tokens, n, states);
  }

  /** Writes the rows of the output matrix for tokens[n]: rows[n][n_embd]. */
  modelOutputRows({ tokens, n, rows }: { tokens: number; n: number; rows: number }): void {
    this.check('model_output_rows', this.model, tokens, n, rows);
  }

  /** What the layer with this index has; undefined past the last. */
  modelGetLayer(index: number): LayerRecord | undefined {
    return this.call('model_get_layer', this.model, index, this.out)
      ? this.readLayer(this.out)
      : undefined;
  }

  /** Gives a session without tokens its edits[n]. */
  sessionSetEdits({ session, edits, n }: { session: number; edits: number; n: number }): void {
    this.check('session_set_edits', session, edits, n);
  }

  /** What the session's edit with this index has counted; undefined past the last. */
  sessionGetEditReport({
    session,
    index,
  }: {
    session: number;
    index: number;
  }): EditReportRecord | undefined {
    return this.call('session_get_edit_report', session, index, this.out)
      ? this.readEditReport(this.out)
      : undefined;
  }

  /** The positions that session_observe would run for max_tokens. */
  sessionNextBatch({
    session,
    max_tokens,
  }: {
    session: number;
    max_tokens: number;
  }): NextBatchRecord {
    this.check('session_next_batch', session, max_tokens, this.out);
    return this.readNextBatch(this.out);
  }

  /** Runs those positions and writes what the observation asks for; gives how many have run. */
  sessionObserve({
    session,
    observation,
    max_tokens,
  }: {
    session: number;
    observation: number;
    max_tokens: number;
  }): number {
    this.check('session_observe', session, observation, max_tokens, this.out);
    return this.view().getUint32(this.out, true);
  }

  /** Compiles a grammar, text[length]; gives its address. */
  grammarNew({ text, length }: { text: number; length: number }): number {
    this.check('grammar_new', this.model, text, length, this.out);
    return this.view().getUint32(this.out, true);
  }

  /** Frees a grammar; its states must have been freed. */
  grammarFree(grammar: number): void {
    this.call('grammar_free', grammar);
  }

  /** How many bytes the grammar takes. */
  grammarMemory(grammar: number): number {
    return this.call('grammar_memory', grammar) >>> 0;
  }

  /** The tokens that end a generation. */
  grammarEnds(grammar: number): TokensRecord {
    this.call('grammar_ends', grammar, this.out);
    return this.readTokens(this.out);
  }

  /** Begins a text; gives the address of its state. at_start: the session has no text yet. */
  grammarBegin({ grammar, at_start }: { grammar: number; at_start: boolean }): number {
    this.check('grammar_begin', grammar, Number(at_start), this.out);
    return this.view().getUint32(this.out, true);
  }

  /** Frees the state. */
  grammarStateFree(state: number): void {
    this.call('grammar_state_free', state);
  }

  /** The tokens that can come next, valid until the next call for the grammar. */
  grammarStateMask(state: number): GrammarMaskRecord {
    this.check('grammar_state_mask', state, this.out);
    return this.readGrammarMask(this.out);
  }

  /** Continues after a token. */
  grammarStateAccept({ state, token }: { state: number; token: number }): void {
    this.check('grammar_state_accept', state, token);
  }

  /** Writes the bytes with which every continuation begins, at most `capacity`; gives how many. */
  grammarStateForced({
    state,
    bytes,
    capacity,
  }: {
    state: number;
    bytes: number;
    capacity: number;
  }): number {
    this.check('grammar_state_forced', state, bytes, capacity, this.out);
    return this.view().getUint32(this.out, true);
  }

  /** Continues after bytes[n]. */
  grammarStateAcceptBytes({ state, bytes, n }: { state: number; bytes: number; n: number }): void {
    this.check('grammar_state_accept_bytes', state, bytes, n);
  }

  /** Whether the text so far matches the grammar. */
  grammarStateIsComplete(state: number): boolean {
    return this.call('grammar_state_is_complete', state) !== 0;
  }

  /** Whether nothing can follow. */
  grammarStateHasEnded(state: number): boolean {
    return this.call('grammar_state_has_ended', state) !== 0;
  }

  /** Makes the session ready to be saved with 64 bits of the caller's. */
  sessionSaveSnapshotBegin({
    session,
    user_data_low,
    user_data_high,
  }: {
    session: number;
    user_data_low: number;
    user_data_high: number;
  }): void {
    this.call('session_save_snapshot_begin', session, user_data_low, user_data_high);
  }

  /** A chunk of the snapshot to be read, or to be filled; undefined past the last. */
  sessionSnapshotChunk({
    session,
    index,
  }: {
    session: number;
    index: number;
  }): ChunkRecord | undefined {
    return this.call('session_snapshot_chunk', session, index, this.out)
      ? this.readChunk(this.out)
      : undefined;
  }

  /** Makes a session from the header of a snapshot of n bytes; gives its address. */
  sessionLoadSnapshotBegin({ header, n }: { header: number; n: number }): number {
    this.check('session_load_snapshot_begin', this.model, header, n, this.out);
    return this.view().getUint32(this.out, true);
  }

  /** Checks the chunks that were filled; the session can go on. */
  sessionLoadSnapshotCommit(session: number): void {
    this.check('session_load_snapshot_commit', session);
  }
}
