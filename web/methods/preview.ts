/** Where each of the most probable next tokens leads: branches that run at the same time. */
import { continuationsInCache } from '../types/capacity.js';
import { runAll } from '../types/runs.js';
import { textOfParts } from '../types/utf8.js';
import type {
  Candidate,
  GenerateOptions,
  ModelInfo,
  Preview,
  PreviewEnd,
  PreviewStep,
  Session,
} from '../types/types.js';
import type { IsEog } from './runs.js';

/** The checked options of Session.preview. */
export interface PreviewRequest {
  /** How many candidates have a branch. */
  tokens: number;
  /** Of each branch, after its candidate. */
  max_tokens: number;
  /** For candidates() and for generate(). */
  options: Pick<GenerateOptions, 'sample_index'>;
  ignore_eos: boolean;
  info: ModelInfo;
}

async function run(
  branch: Session,
  { token, text, bytes, p, p_final }: Candidate,
  request: PreviewRequest,
  isEog: IsEog,
  signal: AbortSignal,
): Promise<Preview> {
  const { ignore_eos, options } = request;
  await branch.append(token);
  const room = request.info.n_ctx - branch.tokens.length;
  const max_tokens = Math.min(request.max_tokens, room);
  const parts = [bytes];
  const steps: PreviewStep[] = [];
  let ended: PreviewEnd = room < request.max_tokens ? 'context' : 'max_tokens';
  if (!ignore_eos && (await isEog(token))) ended = 'eog';
  else {
    const generation = { ...options, ignore_eos, max_tokens, signal, trace: false } as const;
    for await (const step of branch.generate(undefined, generation)) {
      steps.push({ token: step.token, text: step.text, logprob: step.logprob });
      parts.push(step.bytes);
      if (step.eog && !ignore_eos) ended = 'eog';
    }
  }
  return { token, token_text: text, p, p_final, text: textOfParts(parts), steps, ended };
}

/** The branches, most probable candidate first. The session does not change. */
export async function preview(
  session: Session,
  request: PreviewRequest,
  isEog: IsEog,
  signal: AbortSignal,
): Promise<Preview[]> {
  const branches = [await session.fork()];
  try {
    // the first branch runs what is pending; its forks have the logits
    const [first] = branches as [Session];
    const top = { ...request.options, top_n: request.tokens, signal };
    const { candidates } = await first.candidates(top);
    if (candidates.length > 1) branches.push(...(await first.fork(candidates.length - 1)));
    const n_tokens = request.max_tokens + 1; // with the candidate
    const atOnce = continuationsInCache(request.info, first.tokens.length, n_tokens);
    const previews: Preview[] = [];
    await runAll(candidates.length, atOnce, signal, async (i, stop) => {
      previews[i] = await run(branches[i]!, candidates[i]!, request, isEog, stop);
    });
    return previews;
  } finally {
    await Promise.all(branches.map((branch) => branch.dispose()));
  }
}
