// A layer of Qwen 3.5 in float64: part of reference.mjs.
const times = (a, factor) => a.map((x) => x * factor);
const silu = (x) => x / (1 + Math.exp(-x));
const sigmoid = (x) => 1 / (1 + Math.exp(-x));

/**
 * Gated delta net: a convolution over time, then heads whose recurrent states map keys to values.
 */
export function deltaNet(m, x, i, p) {
  const [heads, groups, taps] = ['ssm.time_step_rank', 'ssm.group_count', 'ssm.conv_kernel'].map(
    (key) => m.key(key),
  );
  const dim = m.key('ssm.state_size');
  const states = (m.past[i][0] ??= {
    inputs: [],
    heads: Array.from({ length: heads }, () => new Float64Array(dim * dim)),
  });
  states.inputs.push(m.linear(`blk.${i}.attn_qkv`, x));
  const weight = m.values(`blk.${i}.ssm_conv1d.weight`);
  const mixed = states.inputs[p].map((_, c) => {
    let y = 0;
    for (let tap = 0; tap < taps; tap++)
      y += weight[c * taps + tap] * (states.inputs[p - taps + 1 + tap]?.[c] ?? 0);
    return silu(y);
  });
  const alpha = m
    .linear(`blk.${i}.ssm_alpha`, x)
    .map((a, h) => a + m.values(`blk.${i}.ssm_dt.bias`)[h]);
  const beta = m.linear(`blk.${i}.ssm_beta`, x).map(sigmoid);
  const decay = alpha.map((a, h) =>
    Math.exp(Math.log1p(Math.exp(a)) * m.values(`blk.${i}.ssm_a`)[h]),
  );
  const unit = (v) => times(v, 1 / Math.max(Math.hypot(...v), m.eps));
  const gate = m.linear(`blk.${i}.attn_gate`, x);
  const out = new Float64Array(heads * dim);
  states.heads.forEach((state, h) => {
    const part = (at) => mixed.slice(at * dim, (at + 1) * dim);
    const q = times(unit(part(h % groups)), 1 / Math.sqrt(dim));
    const k = unit(part(groups + (h % groups)));
    const v = part(2 * groups + h);
    for (let e = 0; e < dim; e++) {
      let predicted = 0;
      for (let r = 0; r < dim; r++) predicted += k[r] * (state[r * dim + e] *= decay[h]);
      for (let r = 0; r < dim; r++) {
        state[r * dim + e] += k[r] * beta[h] * (v[e] - predicted);
        out[h * dim + e] += q[r] * state[r * dim + e];
      }
    }
    const normed = m.rms(`blk.${i}.ssm_norm`, out.slice(h * dim, (h + 1) * dim));
    out.set(
      normed.map((value, e) => value * silu(gate[h * dim + e])),
      h * dim,
    );
  });
  return m.linear(`blk.${i}.ssm_out`, out);
}
