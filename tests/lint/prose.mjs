// Words that comments, messages and documents do not use, and the width of comments.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

const MAX_COLUMNS = 100;

/** What is not written, with what to write instead. */
const WORDS = [
  [/\blikewise\b/i, 'also, the same'],
  [/\bbut for\b/i, 'except'],
  [/\bwho(?:so)?ever\b/i, 'the caller, anyone who'],
  [/\bso many\b/i, 'this many, n'],
  [/\bspelt\b/i, 'written, escaped'],
  [/\banew\b/i, 'again'],
  [/\bbegun\b/i, 'started'],
  [/\b(?:whence|thence|thither|hither\w*|wherein|thereof|therein|lest|nought)\b/i, 'plain words'],
  [/\bin haste\b/i, 'quickly one after the other'],
  [/\bowns nothing\b/i, 'nothing at all, or who frees what'],
  [/\bIn: [^]*?\bOut: /, 'one or two plain sentences'],
  [/\bstands? (?:behind|before|beside|above|below|in front of)\b/i, 'is'],
  [/\b(?:to be|can be|could be) had\b/i, 'available'],
  [/\bof one[’']s own\b/i, 'your own'],
  [/\bevery now and then\b/i, 'sometimes'],
];

/** Documents with the words of others, or of the past. */
const EXEMPT =
  /^(?:CHANGELOG\.md|tests\/golden\/|tests\/lint\/prose\.mjs|demo\/model\/|tests\/tokenizers\/texts)/;

// A string, a regular expression or a comment of C, TypeScript, JavaScript or CSS. A quote that is
// not closed on its line (an apostrophe in JSX) is no string.
const TOKEN =
  /\/\*[^]*?\*\/|\/\/[^\n]*|"(?:[^"\\\n]|\\[^])*"|'(?:[^'\\\n]|\\[^])*'|`(?:[^`\\]|\\[^])*`|(?<=[(,=:[!&|?{};\n]\s*|return )\/(?![/*])(?:[^/\\\n[]|\\.|\[(?:[^\]\\\n]|\\.)*\])+\/\w*/g;
const SHELL_COMMENT = /(?<=^|\s)#(?!!).*/gm;

/** The comments of a file and, where they are prose for people, its strings: [{ start, text, comment }]. */
function prose(file, text) {
  if (file.endsWith('.md')) return [{ start: 0, text: withoutCode(text), comment: false }];
  if (/\.(sh|mk)$|^\.ci\//.test(file))
    return [...text.matchAll(SHELL_COMMENT)].map((match) => ({
      start: match.index,
      text: match[0],
      comment: true,
    }));
  return [...text.matchAll(TOKEN)]
    .filter(([token]) => !/^\/[^/*]/.test(token))
    .map((match) => ({
      start: match.index,
      text: match[0],
      comment: match[0].startsWith('/'),
    }));
}

/** A document whose blocks and pieces of code are blank. */
const withoutCode = (text) =>
  text
    .replace(/^```[^]*?^```/gm, (code) => code.replace(/[^\n]/g, ' '))
    .replace(/`[^`\n]*`/g, (code) => ' '.repeat(code.length));

const lineOf = (text, index) => text.slice(0, index).split('\n').length;

/** The checks of this file: name -> what was found, a line each. `files` are relative to the root. */
export function proseChecks(root, files) {
  const texts = files
    .filter((file) => /\.(c|h|def|inc|ts|tsx|mjs|css|sh|mk|md)$/.test(file))
    .filter((file) => !EXEMPT.test(file) && !/generated|tables/.test(file))
    .map((file) => ({ file, text: readFileSync(join(root, file), 'utf8') }));
  return {
    'plain words': () =>
      texts.flatMap(({ file, text }) =>
        prose(file, text).flatMap((part) =>
          WORDS.flatMap(([pattern, instead]) =>
            [
              ...part.text
                .replace(/\s*\n\s*(?:\*|\/\/)? ?/g, (gap) => gap.replace(/[^\n]/g, ' '))
                .matchAll(new RegExp(pattern, `${pattern.flags}g`)),
            ].map(
              (match) =>
                `${file}:${lineOf(text, part.start + match.index)}: "${match[0].replace(/\s+/g, ' ').slice(0, 40)}": say ${instead}`,
            ),
          ),
        ),
      ),
    [`comments of at most ${MAX_COLUMNS} columns`]: () =>
      texts
        .filter(({ file }) => !file.endsWith('.md'))
        .flatMap(({ file, text }) => {
          const lines = text.split('\n');
          const wide = new Set();
          for (const part of prose(file, text).filter(({ comment }) => comment)) {
            const first = lineOf(text, part.start);
            const count = part.text.split('\n').length;
            for (let i = first; i < first + count; i++)
              if ([...lines[i - 1]].length > MAX_COLUMNS) wide.add(i);
          }
          return [...wide].map((line) => `${file}:${line}: ${[...lines[line - 1]].length} columns`);
        }),
  };
}
