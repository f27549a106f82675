/** Renders a conversation with a model's own template. Loaded with the first conversation. */
import { TemplateFailure, renderTemplate } from '../template/template.js';
import { TokenglassError } from '../types/errors.js';

const MAX_QUOTED = 300; // characters of the template in an error message

/**
 * What a template makes of its variables: a conversation as text. Throws TEMPLATE_FAILED, which
 * quotes the template and names the line, when the template is broken, refuses the messages or
 * works too long.
 */
export function renderChat(template: string, input: Readonly<Record<string, unknown>>): string {
  try {
    return renderTemplate(template, input);
  } catch (error) {
    if (!(error instanceof TemplateFailure)) throw error;
    const quoted = template.length > MAX_QUOTED ? `${template.slice(0, MAX_QUOTED)}…` : template;
    const reason = error.message.slice(0, MAX_QUOTED);
    throw new TokenglassError(
      'TEMPLATE_FAILED',
      `line ${error.line}: ${reason}; the template: ${JSON.stringify(quoted)}`,
      { cause: error },
    );
  }
}
