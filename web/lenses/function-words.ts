/** English words that carry grammar: articles, pronouns, prepositions, auxiliaries and others. */
export const FUNCTION_WORDS: ReadonlySet<string> = new Set(
  (
    'a an the this that these those my your his her its our their some any no every each all both ' +
    'either neither another such i me we us you he him she it they them myself yourself himself ' +
    'herself itself ourselves themselves mine yours hers ours theirs who whom whose which what ' +
    'one someone something anyone anything everyone everything nobody nothing of in on at by for ' +
    'with about against between into through during before after above below to from up down over ' +
    'under again off out around among across behind beside near without within toward towards upon ' +
    'until till since and or but nor so yet if because as although though while when where whether ' +
    'than that unless be am is are was were been being have has had having do does did doing will ' +
    'would shall should can could may might must not n’t there here how why then too very just only ' +
    "also don't didn't can't couldn't won't wouldn't isn't wasn't aren't weren't it's i'm you're " +
    "he's she's they're we're i'll you'll he'll she'll we'll they'll"
  ).split(' '),
);
