/** Why a worker's script did not run: loaded only to make the message of that error. */

const COPY =
  "The bundler may not have copied the package's files: copy them (npx tokenglass --copy-files " +
  'DIR) and name their folder with the option base_url';
const SCRIPT_TYPE = /^(text|application)\/(x-)?(java|ecma)script/i;

/** What the server says of a script that the browser refused. */
async function finding(url: string): Promise<string> {
  let response: Response;
  try {
    response = await fetch(url);
    void response.body?.cancel();
  } catch (error) {
    return (
      `the file cannot be fetched from this page (${String(error)}). Its server may be down, may ` +
      "not allow this origin (Access-Control-Allow-Origin), or the page's Content-Security-Policy " +
      'may forbid it (connect-src)'
    );
  }
  if (!response.ok) return `the server answered ${response.status}. ${COPY}`;
  const type = response.headers.get('content-type') ?? '';
  if (!SCRIPT_TYPE.test(type))
    return `the server sent it as "${type}", which is no JavaScript: it may be another file. ${COPY}`;
  return (
    "the file is there, but it may not run as a worker. The page's Content-Security-Policy must " +
    'allow it (worker-src), and a cross-origin isolated page needs the header ' +
    'Cross-Origin-Embedder-Policy on the file'
  );
}

/** The message of a worker that did not start. reason: what the browser says, '' for nothing. */
export async function explainWorker(url: string, reason: string): Promise<string> {
  const said = reason && ` (${reason})`;
  return `the worker with the script ${url} did not start${said}: ${await finding(url)}`;
}
