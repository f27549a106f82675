// Every architecture in plain float64, the truth for the tests: takes the bytes of a GGUF file and
// token ids, returns logits for every position, and what happens inside. It is slow on purpose: one
// position after the other, weights dequantized exactly, each architecture written out by itself.
//
// Sources: the papers that src/model/archs names. Names of keys and tensors, and defaults for
// absent keys, are those of llama.cpp's loader.
import { dot } from '../support/dot.mjs';
import { readGguf } from '../support/gguf-reader.mjs';
import { deltaNet } from './delta-net.mjs';

const add = (a, b, scale = 1) => a.map((x, i) => x + b[i] * scale);
const times = (a, factor) => a.map((x) => x * factor);
const silu = (x) => x / (1 + Math.exp(-x));
const gelu = (x) => 0.5 * x * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (x + 0.044715 * x ** 3)));
const cap = (x, max) => (max ? max * Math.tanh(x / max) : x);
const sigmoid = (x) => 1 / (1 + Math.exp(-x));
const sum = (values) => values.reduce((a, b) => a + b, 0);

class Model {
  constructor(bytes, n_ctx, change = {}) {
    this.change = change;
    this.position = 0; // that is computed now
    this.rows = []; // [layer][head][position] weights of attention by key
    this.outputs = []; // [layer][head][position] before attn_output
    this.file = readGguf(bytes);
    this.arch = this.file.metadata['general.architecture'];
    this.n_ctx = n_ctx;
    this.cached = new Map();
    this.n_head = this.key('attention.head_count');
    this.n_layer = this.key('block_count');
    this.head_dim = this.key('attention.key_length', this.key('embedding_length') / this.n_head);
    const heads = this.key('attention.head_count_kv', this.n_head);
    this.heads_kv = Array.from({ length: this.n_layer }, (_, i) =>
      Array.isArray(heads) ? heads[i] : heads,
    );
    this.eps = this.key(
      'attention.layer_norm_rms_epsilon',
      this.key('attention.layer_norm_epsilon'),
    );
    // for each layer: { k, v } of each position
    this.past = Array.from({ length: this.n_layer }, () => []);
  }
  key(name, fallback) {
    return this.file.metadata[`${this.arch}.${name}`] ?? fallback;
  }
  has(name) {
    return this.file.has(name);
  }
  values(name) {
    if (!this.cached.has(name)) this.cached.set(name, this.file.tensor(name));
    return this.cached.get(name);
  }

  /**
   * Matrix `name`.weight times x, plus `name`.bias if there is one. expert: the index in a stack of
   * matrices.
   */
  linear(name, x, expert = 0) {
    const weight = this.values(`${name}.weight`);
    const rows = this.file.dims(`${name}.weight`)[1];
    const out = new Float64Array(rows);
    for (let r = 0; r < rows; r++) out[r] = dot(weight, (expert * rows + r) * x.length, x);
    return this.has(`${name}.bias`) ? add(out, this.values(`${name}.bias`)) : out;
  }
  /** RMSNorm; without a name: without weights. */
  rms(name, x) {
    const scale = 1 / Math.sqrt(sum(x.map((v) => v * v)) / x.length + this.eps);
    const weight = name && this.values(`${name}.weight`);
    const out = x.map((v, i) => v * scale * (weight ? weight[i] : 1));
    return name?.endsWith('post_ffw_norm') ? this.scaleFfn(Number(name.split('.')[1]), out) : out;
  }
  /** What a layer's feed-forward network adds to the residual, as it is changed. */
  scaleFfn(i, out) {
    const scale = this.change.ffnScale?.(i) ?? 1;
    return scale === 1 ? out : times(out, scale);
  }
  /** The same, unless a norm comes after it. */
  ffnOutput(i, out) {
    return this.has(`blk.${i}.post_ffw_norm.weight`) ? out : this.scaleFfn(i, out);
  }
  layerNorm(name, x) {
    const mean = sum(x) / x.length;
    const scale = 1 / Math.sqrt(sum(x.map((v) => (v - mean) ** 2)) / x.length + this.eps);
    const normed = x.map((v) => (v - mean) * scale);
    return name
      ? normed.map((v, i) => v * this.values(`${name}.weight`)[i] + this.values(`${name}.bias`)[i])
      : normed;
  }
  /** RMSNorm of each head, all with the same weights. */
  rmsHeads(name, x) {
    const out = new Float64Array(x.length);
    for (let at = 0; at < x.length; at += this.head_dim)
      out.set(this.rms(name, x.slice(at, at + this.head_dim)), at);
    return out;
  }

  /**
   * RoPE: rotates heads by the position. order: 'normal' or 'neox'; unscaled: ignores the file's
   * scaling; base: replaces the file's base.
   */
  rope(
    x,
    position,
    order,
    {
      unscaled = false,
      base = this.key('rope.freq_base', 10000),
      dim = this.key('rope.dimension_count', this.head_dim),
    } = {},
  ) {
    const type = this.key('rope.scaling.type', 'linear');
    const factor = this.key('rope.scaling.factor', 1);
    const original = this.key('rope.scaling.original_context_length', this.key('context_length'));
    const name = ['rope_freqs', `rope_factors_${this.n_ctx > original ? 'long' : 'short'}`].find(
      (n) => this.has(`${n}.weight`),
    );
    const factors = name && !unscaled ? this.values(`${name}.weight`) : undefined;
    let magnitude = unscaled ? 1 : this.key('rope.scaling.attn_factor', 1);
    if (type === 'yarn' && !unscaled) magnitude *= 1 + 0.1 * Math.log(factor);
    /** the (fractional) index of the pair that rotates this many times in the original context */
    const pair = (turns) =>
      (dim * Math.log(original / (turns * 2 * Math.PI))) / (2 * Math.log(base));
    const low = Math.max(Math.floor(pair(32)), 0);
    const high = Math.min(Math.ceil(pair(1)), dim - 1);
    const out = x.slice();
    for (let head = 0; head < x.length; head += this.head_dim) {
      for (let i = 0; i < dim / 2; i++) {
        const raw = (position * base ** ((-2 * i) / dim)) / (factors ? factors[i] : 1);
        let angle = unscaled ? raw : raw / factor;
        if (type === 'yarn' && !unscaled) {
          const share = 1 - Math.min(1, Math.max(0, (i - low) / Math.max(0.001, high - low)));
          angle = angle * (1 - share) + raw * share;
        }
        const [a, b] =
          order === 'normal' ? [head + 2 * i, head + 2 * i + 1] : [head + i, head + i + dim / 2];
        out[a] = magnitude * (x[a] * Math.cos(angle) - x[b] * Math.sin(angle));
        out[b] = magnitude * (x[a] * Math.sin(angle) + x[b] * Math.cos(angle));
      }
    }
    return out;
  }

  /** q, k and v of a layer, from one fused matrix or three. */
  project(i, x) {
    if (!this.has(`blk.${i}.attn_qkv.weight`))
      return ['q', 'k', 'v'].map((part) => this.linear(`blk.${i}.attn_${part}`, x));
    const all = this.linear(`blk.${i}.attn_qkv`, x);
    const q = this.n_head * this.head_dim;
    const kv = this.heads_kv[i] * this.head_dim;
    return [all.slice(0, q), all.slice(q, q + kv), all.slice(q + kv)];
  }
  /**
   * Stores k and v, if given, then attends: q over the last `window` positions that layer `from`
   * stored.
   */
  attend(
    i,
    q,
    k,
    v,
    { scale = 1 / Math.sqrt(this.head_dim), window = Infinity, softcap = 0, gates, from = i } = {},
  ) {
    if (k) this.past[i].push({ k, v });
    const p = this.position;
    const start = Math.max(p + 1 - window, 0);
    const seen = this.past[from].slice(start, p + 1);
    const out = new Float64Array(q.length);
    for (let head = 0; head < this.n_head; head++) {
      const at = head * this.head_dim;
      const kv = Math.floor((head * this.heads_kv[i]) / this.n_head) * this.head_dim;
      const scores = seen.map((past, t) => {
        if (this.change.sees?.(i, head, p, start + t) === false) return -Infinity;
        let product = 0;
        for (let d = 0; d < this.head_dim; d++) product += q[at + d] * past.k[kv + d];
        return cap(product * scale, softcap);
      });
      const max = Math.max(...scores);
      const weights = scores.map((score) => Math.exp(score - max));
      const total = sum(weights);
      let row = [...Array(start).fill(0), ...weights.map((weight) => weight / total)];
      row = this.change.row?.(i, head, p, row) ?? row;
      const factor = this.change.headScale?.(i, head) ?? 1;
      seen.forEach((past, t) => {
        for (let d = 0; d < this.head_dim; d++)
          out[at + d] += row[start + t] * past.v[kv + d] * factor * (gates ? gates[at + d] : 1);
      });
      ((this.rows[i] ??= [])[head] ??= [])[p] = row;
      ((this.outputs[i] ??= [])[head] ??= [])[p] = out.slice(at, at + this.head_dim);
    }
    return this.linear(`blk.${i}.attn_output`, out);
  }
  /** The usual attention of a layer: projections, rotation, attention. */
  attention(i, x, position, order, options) {
    const [q, k, v] = this.project(i, x);
    return this.attend(i, this.rope(q, position, order), this.rope(k, position, order), v, options);
  }
  gated(i, x, unit = silu, suffix = '', expert = 0) {
    const up = this.linear(`blk.${i}.ffn_up${suffix}`, x, expert);
    const inner = this.linear(`blk.${i}.ffn_gate${suffix}`, x, expert).map(
      (gate, j) => unit(gate) * up[j],
    );
    const out = this.linear(`blk.${i}.ffn_down${suffix}`, inner, expert);
    return suffix ? out : this.ffnOutput(i, out);
  }
  plain(i, x) {
    return this.ffnOutput(
      i,
      this.linear(`blk.${i}.ffn_down`, this.linear(`blk.${i}.ffn_up`, x).map(gelu)),
    );
  }
  experts(i, x, sumToOne) {
    const scores = Array.from(this.linear(`blk.${i}.ffn_gate_inp`, x), Math.exp);
    const total = sum(scores);
    const best = scores.map((s, e) => [s / total, e]).sort((a, b) => b[0] - a[0]);
    const taken = best.slice(0, this.key('expert_used_count'));
    const whole = sumToOne ? sum(taken.map(([p]) => p)) : 1;
    let out = new Float64Array(x.length);
    for (const [p, e] of taken) out = add(out, this.gated(i, x, silu, '_exps', e), p / whole);
    if (this.has(`blk.${i}.ffn_gate_shexp.weight`))
      out = add(out, this.gated(i, x, silu, '_shexp'));
    return this.ffnOutput(i, out);
  }
}

const blk = (i, name) => `blk.${i}.${name}`;

/**
 * Each architecture: one layer, x -> x, and what differs before the first layer and after the last.
 */
const architectures = {
  llama: {
    layer(m, x, i, p) {
      x = add(x, m.attention(i, m.rms(blk(i, 'attn_norm'), x), p, 'normal'));
      return add(x, m.gated(i, m.rms(blk(i, 'ffn_norm'), x)));
    },
  },
  qwen2: {
    layer(m, x, i, p) {
      x = add(x, m.attention(i, m.rms(blk(i, 'attn_norm'), x), p, 'neox'));
      return add(x, m.gated(i, m.rms(blk(i, 'ffn_norm'), x)));
    },
  },
  qwen3: {
    layer(m, x, i, p) {
      const [q, k, v] = m.project(i, m.rms(blk(i, 'attn_norm'), x));
      const turned = (name, heads) => m.rope(m.rmsHeads(blk(i, name), heads), p, 'neox');
      x = add(x, m.attend(i, turned('attn_q_norm', q), turned('attn_k_norm', k), v));
      return add(x, m.gated(i, m.rms(blk(i, 'ffn_norm'), x)));
    },
  },
  gemma: {
    embed: (m, x) => times(x, Math.sqrt(x.length)),
    layer(m, x, i, p) {
      x = add(x, m.attention(i, m.rms(blk(i, 'attn_norm'), x), p, 'neox'));
      return add(x, m.gated(i, m.rms(blk(i, 'ffn_norm'), x), gelu));
    },
  },
  gemma2: {
    embed: (m, x) => times(x, Math.sqrt(x.length)),
    layer(m, x, i, p) {
      const window = i % 2 === 0 ? m.key('attention.sliding_window', 4096) : Infinity;
      const softcap = m.key('attn_logit_softcapping', 50);
      const a = m.attention(i, m.rms(blk(i, 'attn_norm'), x), p, 'neox', { window, softcap });
      x = add(x, m.rms(blk(i, 'post_attention_norm'), a));
      return add(x, m.rms(blk(i, 'post_ffw_norm'), m.gated(i, m.rms(blk(i, 'ffn_norm'), x), gelu)));
    },
    logits: (m, logits) => logits.map((x) => cap(x, m.key('final_logit_softcapping', 30))),
  },
  gemma3: {
    embed: (m, x) => times(x, Math.sqrt(x.length)),
    layer(m, x, i, p) {
      const local = i % 6 < 5;
      const [q, k, v] = m.project(i, m.rms(blk(i, 'attn_norm'), x));
      const turn = (heads) =>
        m.rope(
          heads,
          p,
          'neox',
          local ? { unscaled: true, base: m.key('rope.freq_base_swa', 10000) } : {},
        );
      const [tq, tk] = [
        turn(m.rmsHeads(blk(i, 'attn_q_norm'), q)),
        turn(m.rmsHeads(blk(i, 'attn_k_norm'), k)),
      ];
      const a = m.attend(i, tq, tk, v, {
        window: local ? m.key('attention.sliding_window') : Infinity,
      });
      x = add(x, m.rms(blk(i, 'post_attention_norm'), a));
      return add(x, m.rms(blk(i, 'post_ffw_norm'), m.gated(i, m.rms(blk(i, 'ffn_norm'), x), gelu)));
    },
  },
  gemma4: {
    embed(m, x, p, id) {
      const embedded = times(x, Math.sqrt(x.length));
      const n = m.key('embedding_length_per_layer_input');
      const all = n * m.n_layer;
      const row = m.values('per_layer_token_embd.weight').slice(id * all, (id + 1) * all);
      const projected = times(m.linear('per_layer_model_proj', embedded), 1 / Math.sqrt(x.length));
      m.given = Array.from({ length: m.n_layer }, (_, i) => {
        const normed = m.rms('per_layer_proj_norm', projected.slice(i * n, (i + 1) * n));
        return normed.map((value, d) => (value + row[i * n + d] * Math.sqrt(n)) / Math.SQRT2);
      });
      return embedded;
    },
    layer(m, x, i, p) {
      const local = m.key('attention.sliding_window_pattern')[i];
      const firstShared = m.n_layer - m.key('attention.shared_kv_layers', 0);
      m.head_dim = m.key(`attention.key_length${local ? '_swa' : ''}`);
      const normed = m.rms(blk(i, 'attn_norm'), x);
      const turn = (name, heads) =>
        m.rope(m.rmsHeads(blk(i, name), heads), p, 'neox', {
          ...(local && {
            unscaled: true,
            base: m.key('rope.freq_base_swa'),
            dim: m.key('rope.dimension_count_swa'),
          }),
        });
      const q = turn('attn_q_norm', m.linear(blk(i, 'attn_q'), normed));
      const options = { scale: 1, window: local ? m.key('attention.sliding_window') : Infinity };
      let a;
      if (i < firstShared) {
        const k = m.linear(blk(i, 'attn_k'), normed);
        const v = m.has(`${blk(i, 'attn_v')}.weight`) ? m.linear(blk(i, 'attn_v'), normed) : k;
        a = m.attend(i, q, turn('attn_k_norm', k), m.rmsHeads('', v), options);
      } else
        a = m.attend(i, q, undefined, undefined, {
          ...options,
          from: firstShared - (local ? 2 : 1),
        });
      x = add(x, m.rms(blk(i, 'post_attention_norm'), a));
      x = add(x, m.rms(blk(i, 'post_ffw_norm'), m.gated(i, m.rms(blk(i, 'ffn_norm'), x), gelu)));
      const gate = m.linear(blk(i, 'inp_gate'), x).map((value, d) => gelu(value) * m.given[i][d]);
      x = add(x, m.rms(blk(i, 'post_norm'), m.linear(blk(i, 'proj'), gate)));
      return m.has(`${blk(i, 'layer_output_scale')}.weight`)
        ? times(x, m.values(`${blk(i, 'layer_output_scale')}.weight`)[0])
        : x;
    },
    logits: (m, logits) => logits.map((x) => cap(x, m.key('final_logit_softcapping', 0))),
  },
  phi2: {
    layer(m, x, i, p) {
      const normed = m.layerNorm(blk(i, 'attn_norm'), x);
      return add(add(x, m.attention(i, normed, p, 'neox')), m.plain(i, normed));
    },
    norm: (m, x) => m.layerNorm('output_norm', x),
  },
  phi3: {
    layer(m, x, i, p) {
      x = add(x, m.attention(i, m.rms(blk(i, 'attn_norm'), x), p, 'neox'));
      const both = m.linear(blk(i, 'ffn_up'), m.rms(blk(i, 'ffn_norm'), x));
      const half = both.length / 2;
      return add(
        x,
        m.linear(
          blk(i, 'ffn_down'),
          both.slice(0, half).map((gate, j) => silu(gate) * both[half + j]),
        ),
      );
    },
  },
  gpt2: {
    embed: (m, x, p) =>
      add(x, m.values('position_embd.weight').slice(p * x.length, (p + 1) * x.length)),
    layer(m, x, i) {
      x = add(x, m.attend(i, ...m.project(i, m.layerNorm(blk(i, 'attn_norm'), x))));
      return add(x, m.plain(i, m.layerNorm(blk(i, 'ffn_norm'), x)));
    },
    norm: (m, x) => m.layerNorm('output_norm', x),
  },
  gptneox: {
    layer(m, x, i, p) {
      const a = m.attention(i, m.layerNorm(blk(i, 'attn_norm'), x), p, 'neox');
      const input = m.key('use_parallel_residual') ? x : add(x, a);
      return add(add(x, a), m.plain(i, m.layerNorm(blk(i, 'ffn_norm'), input)));
    },
    norm: (m, x) => m.layerNorm('output_norm', x),
  },
  olmo: {
    layer(m, x, i, p) {
      const max = m.key('attention.clamp_kqv', Infinity);
      const parts = m.project(i, m.layerNorm('', x));
      const [q, k, v] = parts.map((part) =>
        part.map((value) => Math.min(max, Math.max(-max, value))),
      );
      x = add(x, m.attend(i, m.rope(q, p, 'normal'), m.rope(k, p, 'normal'), v));
      return add(x, m.gated(i, m.layerNorm('', x)));
    },
    norm: (m, x) => m.layerNorm('', x),
  },
  olmo2: {
    layer(m, x, i, p) {
      const window = i % 4 < 3 ? m.key('attention.sliding_window', Infinity) : Infinity;
      const turn = (heads) => m.rope(heads, p, 'neox', { unscaled: window !== Infinity });
      const [q, k, v] = m.project(i, x);
      const a = m.attend(
        i,
        turn(m.rms(blk(i, 'attn_q_norm'), q)),
        turn(m.rms(blk(i, 'attn_k_norm'), k)),
        v,
        { window },
      );
      x = add(x, m.rms(blk(i, 'post_attention_norm'), a));
      return add(x, m.rms(blk(i, 'post_ffw_norm'), m.gated(i, x)));
    },
  },
  smollm3: {
    layer(m, x, i, p) {
      const normed = m.rms(blk(i, 'attn_norm'), x);
      x = add(
        x,
        i % 4 === 3 ? m.attend(i, ...m.project(i, normed)) : m.attention(i, normed, p, 'normal'),
      );
      return add(x, m.gated(i, m.rms(blk(i, 'ffn_norm'), x)));
    },
  },
  stablelm: {
    layer(m, x, i, p) {
      x = add(x, m.attention(i, m.layerNorm(blk(i, 'attn_norm'), x), p, 'neox'));
      return add(x, m.gated(i, m.layerNorm(blk(i, 'ffn_norm'), x)));
    },
    norm: (m, x) => m.layerNorm('output_norm', x),
  },
  starcoder2: {
    layer(m, x, i, p) {
      x = add(x, m.attention(i, m.layerNorm(blk(i, 'attn_norm'), x), p, 'neox'));
      return add(x, m.plain(i, m.layerNorm(blk(i, 'ffn_norm'), x)));
    },
    norm: (m, x) => m.layerNorm('output_norm', x),
  },
  granite: {
    embed: (m, x) => times(x, m.key('embedding_scale')),
    layer(m, x, i, p) {
      const residual = m.key('residual_scale');
      const a = m.attention(i, m.rms(blk(i, 'attn_norm'), x), p, 'normal', {
        scale: m.key('attention.scale'),
      });
      x = add(x, a, residual);
      const normed = m.rms(blk(i, 'ffn_norm'), x);
      return add(
        x,
        m.key('expert_count') ? m.experts(i, normed, true) : m.gated(i, normed),
        residual,
      );
    },
    logits: (m, logits) => times(logits, 1 / m.key('logit_scale')),
  },
  olmoe: {
    layer(m, x, i, p) {
      const [q, k, v] = m.project(i, m.rms(blk(i, 'attn_norm'), x));
      const turned = (name, heads) => m.rope(m.rms(blk(i, name), heads), p, 'neox');
      x = add(x, m.attend(i, turned('attn_q_norm', q), turned('attn_k_norm', k), v));
      return add(x, m.experts(i, m.rms(blk(i, 'ffn_norm'), x), false));
    },
  },
  lfm2: {
    layer(m, x, i, p) {
      const normed = m.rms(blk(i, 'attn_norm'), x);
      if (m.heads_kv[i]) {
        const [q, k, v] = m.project(i, normed);
        const turned = (name, heads) => m.rope(m.rmsHeads(blk(i, name), heads), p, 'neox');
        x = add(x, m.attend(i, turned('attn_q_norm', q), turned('attn_k_norm', k), v));
      } else {
        const all = m.linear(blk(i, 'shortconv.in_proj'), normed);
        const [b, c, u] = [0, 1, 2].map((part) =>
          all.slice(part * x.length, (part + 1) * x.length),
        );
        m.past[i].push(b.map((value, d) => value * u[d]));
        const taps = m.key('shortconv.l_cache');
        const weight = m.values(blk(i, 'shortconv.conv.weight'));
        const y = c.map((gate, d) => {
          let convolved = 0;
          for (let tap = 0; tap < taps; tap++)
            convolved += weight[d * taps + tap] * (m.past[i][p - taps + 1 + tap]?.[d] ?? 0);
          return gate * convolved;
        });
        x = add(x, m.linear(blk(i, 'shortconv.out_proj'), y));
      }
      return add(x, m.gated(i, m.rms(blk(i, 'ffn_norm'), x)));
    },
    norm: (m, x) => m.rms('token_embd_norm', x),
  },
  qwen35: {
    layer(m, x, i, p) {
      const normed = m.rms(blk(i, 'attn_norm'), x);
      const ffn = (y) => add(y, m.gated(i, m.rms(blk(i, 'post_attention_norm'), y)));
      if (m.has(`${blk(i, 'ssm_out')}.weight`)) return ffn(add(x, deltaNet(m, normed, i, p)));
      const both = m.linear(blk(i, 'attn_q'), normed);
      const d = m.head_dim;
      const half = (from) => both.filter((_, at) => Math.floor(at / d) % 2 === from);
      const turned = (name, heads) => m.rope(m.rmsHeads(blk(i, name), heads), p, 'neox');
      const [k, v] = ['attn_k', 'attn_v'].map((name) => m.linear(blk(i, name), normed));
      const gates = half(1).map(sigmoid);
      return ffn(
        add(x, m.attend(i, turned('attn_q_norm', half(0)), turned('attn_k_norm', k), v, { gates })),
      );
    },
  },
  ernie4_5: {
    layer(m, x, i, p) {
      x = add(x, m.attention(i, m.rms(blk(i, 'attn_norm'), x), p, 'normal'));
      return add(x, m.gated(i, m.rms(blk(i, 'ffn_norm'), x)));
    },
  },
};
architectures.granitemoe = architectures.granite;

/**
 * A forward pass that shows what happens inside and can be changed, layer after layer. n_ctx: the
 * context size, by which LongRoPE models choose between their short and long factors. change:
 *   residuals(boundary, xs)         changes the residuals of all positions at a boundary
 *   sees(layer, head, query, key)   false: the query does not see the key
 *   row(layer, head, query, row)    another row of weights
 *   headScale(layer, head), ffnScale(layer)
 * Gives logits, residuals [boundary][position], rows and outputs [layer][head][position], and
 * lens(boundary, position): the logits that the last norm and the output matrix make there.
 */
export function referenceRun(bytes, ids, n_ctx, change = {}) {
  const m = new Model(bytes, n_ctx, change);
  const {
    embed = (_, x) => x,
    layer,
    norm = (_, x) => m.rms('output_norm', x),
    logits = (_, x) => x,
  } = architectures[m.arch];
  const n_embd = m.key('embedding_length');
  const perLayer = []; // gemma4: each token's embeddings for the layers
  const xs = Array.from(ids, (id, p) => {
    const x = m.values('token_embd.weight').slice(id * n_embd, (id + 1) * n_embd);
    const embedded = embed(m, x, p, id);
    perLayer.push(m.given);
    return embedded;
  });
  const residuals = [];
  const boundary = (i) => {
    change.residuals?.(i, xs);
    residuals.push(xs.map((x) => x.slice()));
  };
  for (let i = 0; i < m.n_layer; i++) {
    boundary(i);
    for (let p = 0; p < xs.length; p++) {
      m.position = p;
      m.given = perLayer[p];
      xs[p] = layer(m, xs[p], i, p);
    }
  }
  boundary(m.n_layer);
  const output = m.has('output.weight') ? 'output' : 'token_embd';
  const lens = (i, p) => logits(m, m.linear(output, norm(m, residuals[i][p])));
  return {
    logits: xs.map((_, p) => lens(m.n_layer, p)),
    residuals,
    rows: m.rows,
    outputs: m.outputs,
    lens,
  };
}

/** Logits of every position: ids.length Float64Arrays of n_vocab. */
export const referenceLogits = (bytes, ids, n_ctx) => referenceRun(bytes, ids, n_ctx).logits;
