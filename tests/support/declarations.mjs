// The public declarations of the built package, read with the TypeScript compiler.
import { API } from 'typescript/unstable/sync';
import { SyntaxKind } from 'typescript/unstable/ast';
import { rmSync, writeFileSync } from 'node:fs';
import { inTree } from './support.mjs';

/** The entries whose exports are public. */
export const ENTRIES = [
  'index',
  'testing',
  'trace',
  'methods',
  'lenses',
  'storybook',
  'builds/simd128',
];

const CALLS = [
  SyntaxKind.FunctionDeclaration,
  SyntaxKind.MethodSignature,
  SyntaxKind.MethodDeclaration,
  SyntaxKind.Constructor,
];

/** The text of the node's JSDoc comment; '' when it has none. */
function docOf(node) {
  // a variable's comment belongs to its statement
  const documented = node.kind === SyntaxKind.VariableDeclaration ? node.parent.parent : node;
  const comments = documented.jsDoc ?? [];
  const comment = comments.at(-1);
  if (!comment) return '';
  return node
    .getSourceFile()
    .text.slice(comment.pos, comment.end)
    .trim()
    .replace(/^\/\*\*|\*\/$/g, '')
    .replace(/^[ \t]*\* ?/gm, '')
    .trim();
}

const examplesIn = (doc) =>
  doc
    .split(/^@/m)
    .filter((part) => part.startsWith('example'))
    .map((part) => part.slice('example'.length).trim());

function isPrivate(member) {
  if (member.name?.kind === SyntaxKind.PrivateIdentifier) return true;
  return (member.modifiers ?? []).some(({ kind }) => kind === SyntaxKind.PrivateKeyword);
}

function entry(name, node) {
  const doc = docOf(node);
  return { name, doc, examples: examplesIn(doc), call: CALLS.includes(node.kind) };
}

/** A declaration and its members. */
function* entriesOf(name, node) {
  yield entry(name, node);
  for (const member of node.members ?? []) {
    if (isPrivate(member)) continue;
    yield entry(`${name}.${member.name?.getText() ?? 'constructor'}`, member);
  }
}

/** The number of object types without a name inside the node. */
function anonymousTypes(node) {
  let n = node.kind === SyntaxKind.TypeLiteral ? 1 : 0;
  node.forEachChild((child) => void (n += anonymousTypes(child)));
  return n;
}

/**
 * Every exported declaration and each of its members: { name, doc, examples, call }. anonymous
 * lists the exports whose declaration contains an object type without a name.
 */
export function publicDeclarations() {
  // programs that run side by side do not share the file
  const config = inTree(`build/declarations-${process.pid}.tsconfig.json`);
  const files = ENTRIES.map((name) => inTree(`dist/types/${name}.d.ts`));
  writeFileSync(config, JSON.stringify({ extends: '../tsconfig.json', files, include: [] }));
  const api = new API({ cwd: inTree('') });
  try {
    const project = api.updateSnapshot({ openProject: config }).getProjects()[0];
    const exported = new Map();
    for (const file of files) {
      const module = project.checker.getSymbolAtLocation(project.program.getSourceFile(file));
      for (const symbol of project.checker.getExportsOfModule(module)) {
        const [declaration] = symbol.declarations;
        const target =
          declaration.kind === SyntaxKind.ExportSpecifier
            ? project.checker.getAliasedSymbol(symbol)
            : symbol;
        exported.set(
          symbol.name,
          target.declarations.map((handle) => handle.resolve(project)),
        );
      }
    }
    const entries = [];
    const anonymous = [];
    for (const [name, nodes] of exported) {
      for (const node of nodes) {
        entries.push(...entriesOf(name, node));
        if (anonymousTypes(node) > 0) anonymous.push(name);
      }
    }
    return { entries, anonymous };
  } finally {
    rmSync(config);
    api.close();
  }
}
