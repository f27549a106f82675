// Templates of a file that means harm: each works without end, or takes memory without end, unless
// it is stopped. A value is a template or a function that makes one.
const nest = (n, open, inner, close) => open.repeat(n) + inner + close.repeat(n);
const MB2 = "{% set s = 'ab,' * 700000 %}";

export const HOSTILE = {
  'nested loops with empty bodies':
    '{% for a in range(100000) %}{% for b in range(100000) %}{% endfor %}{% endfor %}',
  'nested loops that set a variable':
    '{% for i in range(10000) %}{% for k in range(10000) %}{% set x = i %}{% endfor %}{% endfor %}',
  'a loop over a list of 2^24':
    '{% set ns = namespace(a=[0]) %}{% for i in range(24) %}{% set ns.a = ns.a + ns.a %}{% endfor %}{% for x in ns.a %}{% endfor %}',
  'a list of 2^30 by repetition': '{% set a = [0] * 2 ** 30 %}',
  'split of 2 MB, 2,000 times': `${MB2}{% for i in range(2000) %}{% set x = s.split(',') %}{% endfor %}`,
  'splitlines of 2 MB':
    "{% set s = 'a\\n' * 1000000 %}{% for i in range(2000) %}{% set x = s.splitlines() %}{% endfor %}",
  'slices of a text': `${MB2}{% for i in range(100000) %}{% set x = s[1:] %}{% endfor %}`,
  'slices of a text with characters beyond 2^16':
    "{% set s = 'a😀' * 700000 %}{% for i in range(100000) %}{% set x = s[i] %}{% endfor %}",
  'slices of a list':
    '{% set a = range(100000)|list %}{% for i in range(100000) %}{% set x = a[1:] %}{% endfor %}',
  'in over a long list':
    '{% set a = range(100000)|list %}{% for i in range(100000) %}{% if -1 in a %}{% endif %}{% endfor %}',
  'in over a long text': `${MB2}{% for i in range(100000) %}{% if 'zz' in s %}{% endif %}{% endfor %}`,
  'a search that a naive search takes quadratic time for':
    "{% set s = 'a' * 2000000 %}{% set p = 'a' * 1000000 ~ 'b' %}{% for i in range(1000) %}{{ p in s }}{{ s.rfind('b' ~ p) }}{% endfor %}",
  'a short pattern that matches almost':
    "{% set s = 'a' * 4000000 %}{% for i in range(10000) %}{{ s.find('aaaaaaaaaaaaaaab') }}{{ s.rfind('baaaaaaaaaaaaaaa') }}{% endfor %}",
  'lists of lists':
    '{% set ns = namespace(a=[0]) %}{% for i in range(100000) %}{% set ns.a = [ns.a, ns.a] %}{% endfor %}{{ ns.a }}',
  'the text of a list that doubles':
    '{% set ns = namespace(a=[0]) %}{% for i in range(100) %}{% set ns.a = [ns.a, ns.a] %}{% endfor %}{{ ns.a }}',
  'tojson of a list that doubles':
    '{% set ns = namespace(a=[0]) %}{% for i in range(100) %}{% set ns.a = [ns.a, ns.a] %}{% endfor %}{{ ns.a|tojson }}',
  'equality of lists that double':
    '{% set n = namespace(a=[0], b=[0]) %}{% for i in range(100) %}{% set n.a = [n.a, n.a] %}{% set n.b = [n.b, n.b] %}{% endfor %}{{ n.a == n.b }}',
  'lists of many lists':
    '{% set ns = namespace(a=[]) %}{% for i in range(100000) %}{% set ns.a = ns.a + [range(1000)|list] %}{% endfor %}',
  '4 MB texts kept':
    "{% set ns = namespace(a=[]) %}{% for i in range(100000) %}{% set ns.a = ns.a + ['x' * 4000000 ~ i] %}{% endfor %}",
  '4 MB texts made from shared halves and read':
    "{% set ns = namespace(a=[]) %}{% set h = 'x' * 2000000 %}{% for i in range(100000) %}{% set t = h ~ i ~ h %}{% set ns.a = ns.a + [t.upper()] %}{% endfor %}",
  'a text that doubles':
    "{% set ns = namespace(x='0123456789') %}{% for i in range(60) %}{% set ns.x = ns.x ~ ns.x %}{% endfor %}{{ ns.x }}",
  'an output without end':
    "{% set s = 'x' * 1000000 %}{% for i in range(100000) %}{{ s }}{% endfor %}",
  'a repeated text': "{{ 'x' * 10 ** 9 }}",
  'a width of a format': "{{ '%1000000000d' % 1 }}",
  'a precision of a format': "{{ '%.1000000000f' % 1.5 }}",
  'a width of str.format': "{{ '{:1000000000}'.format(1) }}",
  'a precision of str.format': "{{ '{:.1000000000f}'.format(1.5) }}",
  'a width with commas': "{{ '{:0100000000,}'.format(1) }}",
  'a width of center': "{{ 'x'.center(10 ** 9) }}",
  'a width of zfill': "{{ 'x'.zfill(10 ** 9) }}",
  'a width of the filter center': "{{ 'x'|center(10 ** 9) }}",
  'a width of indent': "{{ 'x\\ny'|indent(10 ** 9) }}",
  'an indent of tojson': '{{ [1]|tojson(indent=10 ** 9) }}',
  'tab stops': "{{ ('\\t' * 1000).expandtabs(10 ** 9) }}",
  'a width of batch': '{{ [1]|batch(10 ** 9, 0)|list }}',
  'a number of slices': '{{ [1]|slice(10 ** 9)|list }}',
  'a large power': '{{ 2 ** (10 ** 9) }}',
  'a power that grows':
    '{% set ns = namespace(a=3) %}{% for i in range(100) %}{% set ns.a = ns.a * ns.a %}{% endfor %}{{ ns.a }}',
  'products of large ints':
    '{% set a = 3 ** 10000 %}{% for i in range(100000) %}{% for k in range(100000) %}{% set x = a * a // a % 7 %}{% endfor %}{% endfor %}',
  'the digits of large ints':
    '{% set a = 7 ** 1500 %}{% for i in range(100000) %}{% for k in range(100000) %}{% set x = a|string|int %}{% endfor %}{% endfor %}',
  'a range': '{{ range(1000000000) }}',
  'a range in steps of nothing': '{{ range(0, 10, 0) }}',
  'a macro that calls itself': '{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}',
  'a macro that calls itself twice':
    '{% macro m(n) %}{% if n %}{{ m(n - 1) }}{{ m(n - 1) }}{% endif %}{% endmacro %}{{ m(60) }}',
  'a recursive loop without end': '{% for x in [1] recursive %}{{ loop([1]) }}{% endfor %}',
  'call blocks that call each other':
    '{% macro m() %}{% call m() %}{% endcall %}{% endmacro %}{{ m() }}',
  'a sort of a long list':
    '{% set a = range(100000)|list %}{% for i in range(1000) %}{% set x = a|sort(reverse=true) %}{% endfor %}',
  'a sort of long texts':
    "{% set s = 'x' * 100000 %}{% set a = [s ~ 'b', s ~ 'a'] * 10000 %}{{ a|sort|length }}",
  'unique of long texts':
    "{% set s = 'x' * 100000 %}{% for i in range(100000) %}{% set x = [s ~ i, s]|unique|list %}{% endfor %}",
  'groupby of many values':
    '{% set a = range(100000)|list %}{% for i in range(1000) %}{% set x = a|groupby("real") %}{% endfor %}',
  'keys of a dict that are long texts':
    "{% set s = 'x' * 1000000 %}{% for i in range(100000) %}{% set x = {s ~ i: 1} %}{% endfor %}",
  'tuples of tuples as keys':
    '{% set ns = namespace(a=(0,)) %}{% for i in range(100) %}{% set ns.a = (ns.a, ns.a) %}{% endfor %}{{ {ns.a: 1}|length }}',
  'map over select over map':
    '{% set a = range(100000)|list %}{% for i in range(1000) %}{{ a|map("string")|select|map("upper")|list|length }}{% endfor %}',
  'replace that makes a long text': "{% set s = 'a' * 100000 %}{{ s.replace('a', s) }}",
  'replace of nothing': "{% set s = 'a' * 100000 %}{{ s.replace('', s) }}",
  'join with a long separator':
    "{% set s = 'a' * 100000 %}{{ s.join(range(100000)|map('string')) }}",
  'truncate of long texts': `${MB2}{% for i in range(100000) %}{% set x = s|truncate(1000000) %}{% endfor %}`,
  'wordwrap of long texts':
    "{% set s = 'a-' * 1000000 %}{% for i in range(1000) %}{% set x = s|wordwrap(3) %}{% endfor %}",
  'wordwrap of dashes': "{{ ('a' ~ '-' * 1000000)|wordwrap(30)|length }}{{ 'x' * 10 ** 9 }}",
  'striptags of many brackets':
    "{{ ('<' * 1000000)|striptags|length }}{{ ('<!--' * 300000)|striptags|length }}{{ 'x' * 10 ** 9 }}",
  'title and capitalize of long texts':
    "{% set s = 'aß' * 1000000 %}{% for i in range(1000) %}{% set x = s.title() ~ s|title ~ s.upper() %}{% endfor %}",
  'strip of many characters':
    "{% set s = 'ab' * 1000000 %}{% for i in range(1000) %}{% set x = s.strip('ab') %}{% endfor %}",
  'the text of long texts':
    "{% set s = 'a\\n' * 1000000 %}{% for i in range(1000) %}{% set x = [s]|string %}{% endfor %}",
  'a format of a long text':
    "{% set s = '%s' * 1000000 %}{{ s % 1 }}{% for i in range(100000) %}{{ s % ([1] * 1000000) }}{% endfor %}",
  'a regular expression of a number':
    "{% set s = '1' * 1000000 ~ 'x' %}{% for i in range(10000) %}{{ s|float }}{{ s|int }}{% endfor %}",
  'arguments from a long list': '{{ dict(*range(100000)|list) }}',
  'a namespace in itself': '{% set ns = namespace() %}{% set ns.a = [ns] %}{{ ns }}',
  'a list nested too deep':
    '{% set ns = namespace(a=[]) %}{% for i in range(100000) %}{% set ns.a = [ns.a] %}{% endfor %}{{ ns.a }}',
  'generators inside each other':
    '{% set ns = namespace(a=[1]) %}{% for i in range(100000) %}{% set ns.a = ns.a|map("string") %}{% endfor %}{{ ns.a|list }}',
  'brackets nested deep': () => `{{ ${nest(100_000, '(', '1', ')')} }}`,
  'lists nested deep': () => `{{ ${nest(100_000, '[', '1', ']')} }}`,
  'tags nested deep': () => nest(30_000, '{% if true %}', 'x', '{% endif %}'),
  'a long sum': () => `{{ ${'1+'.repeat(100_000)}1 }}`,
  'a long chain of attributes': () => `{{ a${'.b'.repeat(100_000)} }}`,
  'a long chain of filters': () => `{{ 1${'|string'.repeat(100_000)} }}`,
  'many nots': () => `{{ ${'not '.repeat(100_000)}1 }}`,
  'many signs': () => `{{ ${'-'.repeat(100_000)}1 }}`,
  'many elses': () => `{{ ${'1 if 0 else '.repeat(80_000)}1 }}`,
  'many branches with many variables': () =>
    Array.from({ length: 20_000 }, (_, i) => `{% if v${i} %}{% set v${i} = 1 %}{% endif %}`).join(
      '',
    ),
  'an unclosed text and 200,000 spaces': () => `{{ "x" ${' '.repeat(200_000)}`,
  'a text and 200,000 line ends': () => `{{ "x"${'\n'.repeat(200_000)}`,
  'text, 200,000 spaces, no tag': () => `${'x '.repeat(100_000)}${' '.repeat(200_000)}{{`,
  'spaces before many tags': () => `${`${' '.repeat(400)}{%- if`.repeat(500)}`,
  'many raw tags without an end': () => '{% raw %}' + '{%   endraw '.repeat(50_000),
  'many comments without an end': () => '{#'.repeat(200_000),
  'many quotes': () => `{{ ${'"a"'.repeat(100_000)}`,
  'many backslashes': () => `{{ "${'\\\\'.repeat(200_000)}`,
  'a number of many digits': () => `{{ ${'1'.repeat(200_000)} }}`,
  'a number with many underlines': () => `{{ ${'1_'.repeat(200_000)} }}`,
};

/** The template of a case. */
export const templateOf = (value) => (typeof value === 'function' ? value() : value);
