// The rows of tests/packages: one for each environment, from the files of environments/. A row is
//   name       a word; the app is prepared in a folder of this name
//   title      what the table says; {name} is replaced by the version of the package
//   app        the folder of apps/ that is copied; '' for none
//   folder     another row's name: both use one prepared app
//   versions   of packages, instead of those in the app's package.json
//   entry      which entries of the package the app imports, for the table
//   commands   what builds the app, each line run by a shell in the app's folder
//   setting    the one setting that the app needs, for the table
//   run        'browser': open its page; 'node': run `program`, which prints the result's JSON;
//              'fetch': get the result's JSON from `path` of the server; 'check': the commands
//              are all
//   program    for 'node': a line for the shell
//   serve      for 'browser' and 'fetch': { folder, headers } of static files, { command } of a
//              server (the shell's $PORT says where), or { start } with a function of the folder
//              and `expected` that gives { url, close } and, if the site has the model, modelUrl
//   path       of the page; '/' if there is none
//   browsers   ['chromium', 'firefox'] or fewer
//   note       what worker_note says where no worker can run and the page's thread has the model
//   threads    how many threads the model has, if that is certain
//   tabs       how many pages are open at once; 1 if there is none
//   install    false: npm installs nothing; the packed package is unpacked in any case
//   inTest     true: the row is in `npm test`, and its app installs nothing from the network
//   skip       a function that gives the reason why this machine cannot run the row
//   inspect    a function of the app's folder, the server's address and `expected`, instead of run
import { readdirSync } from 'node:fs';

/** All rows, in the order of the files' names. */
export async function loadEnvironments() {
  const folder = new URL('./environments/', import.meta.url);
  const files = readdirSync(folder).filter((name) => name.endsWith('.mjs'));
  const lists = await Promise.all(files.sort().map((name) => import(new URL(name, folder))));
  const rows = lists.flatMap(({ rows }) => rows);
  const names = rows.map(({ name }) => name);
  const twice = names.find((name, i) => names.indexOf(name) !== i);
  if (twice) throw new Error(`two environments have the name ${twice}`);
  return rows;
}
