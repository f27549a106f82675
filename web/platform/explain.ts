/**
 * Why a file of the package did not load, and what helps. The entry loads this module only to make
 * that message.
 */

const COPY =
  "the bundler may not have copied the package's files. Copy them (npx tokenglass --copy-files " +
  'DIR) and name their folder with the option base_url';
const OPTIMIZED =
  "Vite's optimizer moved the package's modules, and not the files beside them. Add tokenglass " +
  'to optimizeDeps.exclude in the configuration of Vite';
const SCRIPT_TYPE = /^(text|application)\/(x-)?(java|ecma)script/i;

/** Why a file is not where it is looked for. */
const misplaced = (url: string) => (/\/\.vite\//.test(url) ? OPTIMIZED : COPY);

/** Why a request for a file got no answer. error: what fetch said. */
export function whyNoAnswer(error: unknown): string {
  if (globalThis.location?.protocol === 'file:')
    return `${String(error)}; a page of a file: address may load no files: serve it over HTTP`;
  return (
    `${String(error)}; its server may be down, or may not allow requests from ` +
    `${globalThis.origin} (Access-Control-Allow-Origin), or the page's Content-Security-Policy ` +
    'may not allow the address (connect-src)'
  );
}

/** Why a server's answer is not the file. */
export function whyNotFile(url: string, { status, headers }: Response): string {
  const type = headers.get('content-type');
  return status >= 400
    ? `the server answered ${status}; ${misplaced(url)}`
    : `the server sent ${type ? `"${type}"` : 'no Content-Type'}; ${misplaced(url)}`;
}

/** What the policy that forbade a worker must say. foreign: the script is of another origin. */
function whyForbidden({ effectiveDirective: directive }: ViolationEvent, foreign: boolean): string {
  if (/trusted-types/.test(directive))
    return (
      'the page requires Trusted Types: its Content-Security-Policy must allow the policy ' +
      'tokenglass (trusted-types tokenglass)'
    );
  return foreign
    ? `the page's Content-Security-Policy forbids workers of a Blob (${directive}), which start ` +
        `scripts of another origin. Allow blob: in ${directive}, or put the package's files on ` +
        "the page's own origin and name their folder with the option base_url"
    : `the page's Content-Security-Policy forbids it (${directive}). Allow the script's origin ` +
        `('self') in ${directive}`;
}

type ViolationEvent = Pick<SecurityPolicyViolationEvent, 'effectiveDirective'>;

/** What the server says of a script that the browser refused. */
async function whyRefused(url: string, foreign: boolean): Promise<string> {
  let response: Response;
  try {
    response = await fetch(url);
    void response.body?.cancel();
  } catch (error) {
    return whyNoAnswer(error);
  }
  const { ok, headers } = response;
  if (!ok || !SCRIPT_TYPE.test(headers.get('content-type') ?? '')) return whyNotFile(url, response);
  if (globalThis.crossOriginIsolated && !foreign && !headers.has('cross-origin-embedder-policy'))
    return (
      'the page is cross-origin isolated, and the server sent the script without the header ' +
      'Cross-Origin-Embedder-Policy. Send the header with the script, too'
    );
  return (
    "the file is there, but it did not run. It may be another script than the package's worker, " +
    "or the page's Content-Security-Policy may not allow it (worker-src, script-src)"
  );
}

/**
 * The message of a worker that did not start. reason: what the browser says, '' for nothing;
 * foreign: the script is of another origin; violation: what the page's policy forbade last.
 */
export async function explainWorker(
  url: string,
  reason: string,
  foreign: boolean,
  violation: () => ViolationEvent | undefined,
): Promise<string> {
  const found = await whyRefused(url, foreign);
  const event = violation(); // it comes after the worker's error in some browsers
  const why = event ? whyForbidden(event, foreign) : found;
  return `the worker with the script ${url} did not start${reason && ` (${reason})`}: ${why}`;
}
