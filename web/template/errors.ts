/** Errors of a template. renderTemplate adds the line and gives them to its caller. */

/** What ends a rendering: a broken template, a refusal of the template itself, a Python error. */
export class TemplateError extends Error {
  readonly reason: 'template' | 'unsupported' | 'limit' = 'template';
}

/** Jinja2 would go on, but this package does not support what the template asks for. */
export class Unsupported extends TemplateError {
  override readonly reason = 'unsupported';
}

/** The template takes too many steps or too much memory. */
export class LimitExceeded extends TemplateError {
  override readonly reason = 'limit';
}
