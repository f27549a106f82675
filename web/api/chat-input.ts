/** Reads the messages of a conversation and what else a chat template gets. */
import {
  flag,
  invalid,
  isGiven,
  listOf,
  readOptions,
  reading,
  textOf,
  unsupported,
} from '../types/arguments.js';
import { TokenglassError, typed } from '../types/errors.js';
import { jsonOf } from '../types/json.js';
import { suggestion } from '../types/names.js';
import type { ChatMessage, ChatTemplateOptions, TextPart, ToolCall } from '../types/types.js';

const ROLES = ['system', 'developer', 'user', 'assistant', 'tool'];

/** The text of a part of a message; undefined for a part that is something else. */
function textOfPart(part: unknown): string | undefined {
  const { type, text } = (part ?? {}) as TextPart;
  return type === 'text' && typeof text === 'string' ? text : undefined;
}

/** The text of a message; null for a message that only has tool calls. */
function contentOf(content: unknown, hasCalls: boolean, place: string): string | null {
  if (!isGiven(content) && hasCalls) return null;
  const given = typeof content === 'string' ? [{ type: 'text', text: content }] : content;
  const texts = listOf(Array.isArray(given) ? given : [undefined], place, textOfPart);
  if (texts.includes(undefined)) {
    throw new TokenglassError(
      'OPTION_UNSUPPORTED',
      `${place}.content is neither a text nor a list of texts`,
    );
  }
  return texts.join('');
}

/** A message whose content is one text and whose role templates know. */
function messageOf(message: ChatMessage, place: string): object {
  const { role, content, name, ...rest } = message ?? {};
  if (!ROLES.includes(role)) {
    throw new TokenglassError(
      'OPTION_UNSUPPORTED',
      `${place} has the role ${typed(role, 'string')}${suggestion(role, ROLES)}`,
    );
  }
  const more = jsonOf(rest, place) as Omit<ChatMessage, 'role' | 'content' | 'name'>;
  for (const key of ['refusal', 'audio', 'function_call'] as const)
    if (isGiven(more[key])) throw unsupported(`${place}.${key} is not supported`);
  const calls = more.tool_calls ?? [];
  if (!Array.isArray(calls))
    throw invalid(`${place}.tool_calls is ${typed(calls)}; it must be a list`);
  for (const [i, call] of calls.entries()) {
    const type: unknown = (call as Partial<ToolCall> | null)?.type ?? 'function';
    if (type !== 'function')
      throw unsupported(`${place}.tool_calls[${i}] has the type ${typed(type, 'string')}`);
  }
  return {
    role: role === 'developer' ? 'system' : role,
    content: contentOf(content, calls.length > 0, place),
    ...(isGiven(name) && { name: textOf(name, `${place}.name`) }),
    ...more,
  };
}

/** The messages as templates read them. */
export function messagesOf(messages: readonly ChatMessage[]): object[] {
  const plain = listOf(messages, 'messages', (message) => message as ChatMessage).map(
    (message, i) => reading(`messages[${i}]`, () => messageOf(message, `messages[${i}]`)),
  );
  if (plain.length === 0) throw invalid('messages is a list of at least one message');
  return plain;
}

/** The options of Model.applyChatTemplate as variables of the template. */
export function templateVariables(given: ChatTemplateOptions | undefined) {
  const known = ['tools', 'documents', 'add_generation_prompt', 'chat_template_kwargs'];
  const options = readOptions(given, known, 'applyChatTemplate');
  const list = (value: unknown, name: string) =>
    isGiven(value) ? listOf(value, name, (one) => jsonOf(one, name)) : null;
  const kwargs = options.chat_template_kwargs ?? {};
  const variables = reading('chat_template_kwargs', () => jsonOf(kwargs, 'chat_template_kwargs'));
  if (Array.isArray(variables) || typeof variables !== 'object')
    throw invalid(`chat_template_kwargs is ${typed(kwargs)}; it must be an object`);
  return {
    ...variables,
    tools: list(options.tools, 'tools'),
    documents: list(options.documents, 'documents'),
    add_generation_prompt: flag(options.add_generation_prompt, 'add_generation_prompt', true),
  };
}
