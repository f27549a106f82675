/** Whether a model does a task worse when the right answer is an unlikely text. */
import { flag, invalid, listOf, readOptions, textOf } from '../types/arguments.js';
import type { EmbersAnswer, EmbersGroup, EmbersItem, TokenScore } from '../types/types.js';
import { embersItems } from './embers-items.js';
import { correlation, mean } from './figures.js';
import { withOptions } from './list.js';
import type { LensCall } from './list.js';
import { continuationOf, idsIn, mapAll, scoreAll, tokensOf } from './texts.js';

function itemOf(given: unknown): EmbersItem {
  const texts = ['task', 'instruction', 'input', 'cue', 'output'] as const;
  const read = readOptions(given as Partial<EmbersItem>, [...texts, 'likely'], 'an item');
  const [task, instruction, input, cue, output] = texts.map((name) => textOf(read[name], name));
  return {
    task: task!,
    likely: flag(read.likely, 'likely', true),
    instruction: instruction!,
    input: input!,
    cue: cue!,
    output: output!,
  };
}

const meanLogprob = (scores: readonly TokenScore[]) => mean(scores.map(({ logprob }) => logprob));

/** The rows of tasks and likelihoods. */
export function embersGroups(items: readonly EmbersAnswer[]): EmbersGroup[] {
  const tasks = [...new Set(items.map(({ task }) => task))];
  return tasks.flatMap((task) =>
    [true, false].flatMap((likely) => {
      const own = items.filter((item) => item.task === task && item.likely === likely);
      if (own.length === 0) return [];
      return {
        task,
        likely,
        n: own.length,
        accuracy: mean(own.map(({ correct }) => Number(correct))),
        output_logprob: mean(own.map(({ output_logprob }) => output_logprob)),
        answer_logprob: mean(own.map(({ answer_logprob }) => answer_logprob)),
      };
    }),
  );
}

export const embers: LensCall<'embers'> = (model, options) =>
  withOptions('embers', options, async ({ items }, signal) => {
    const list = items === undefined ? embersItems() : listOf(items, 'items', itemOf);
    if (list.length === 0) throw invalid('items is empty');
    const alone = (text: string, own: AbortSignal) => tokensOf(model, text, own).then(idsIn);
    const plans = await mapAll(list, signal, async (item, own) => {
      const { instruction, input, cue, output } = item;
      const answer = await continuationOf(model, instruction + input + cue, output, own);
      const [task, given, target] = [
        await alone(instruction, own),
        await alone(input, own),
        await alone(output, own),
      ];
      return { item, from: answer.from, texts: [task, given, target, answer.ids] };
    });
    const scores = await scoreAll(
      model,
      plans.flatMap(({ texts }) => texts),
      signal,
    );
    const answers = plans.map(({ item, from }, i): EmbersAnswer => {
      const [task, input, output, answer] = scores.slice(4 * i, 4 * i + 4);
      const own = answer!.slice(from);
      return {
        ...item,
        task_logprob: meanLogprob(task!.slice(1)),
        input_logprob: meanLogprob(input!.slice(1)),
        output_logprob: meanLogprob(output!.slice(1)),
        answer_logprob: meanLogprob(own),
        correct: own.every(({ rank }) => rank === 0),
      };
    });
    return {
      items: answers,
      groups: embersGroups(answers),
      correlation: correlation(
        answers.map(({ output_logprob }) => output_logprob),
        answers.map(({ answer_logprob }) => answer_logprob),
      ),
    };
  });
