/* The text is divided before each character that neither combines with the character before it nor
 * changes place with it. Most texts have only such characters; they are not copied. The characters
 * between two such places are a run: decomposed, sorted by combining classes and composed again. */
#include "normalize.h"
#include "../base/grow.h"
#include "../base/utf8.h"
#include "unicode.h"

#include <stdlib.h>
#include <string.h>

#define MAX_BYTES (INT32_MAX / 4) /* of a text; sizes must not wrap in 32 bits */

/* A code point, its rank, and the byte of the given text at which its part ends. */
typedef struct symbol {
    uint32_t code, end;
    uint8_t rank;
} symbol;

typedef struct writer {
    const tg_normalizer *normalizer;
    const char *text;
    size_t length;
    size_t copied;   /* bytes of the text that the output stands for */
    size_t capacity; /* bytes of the output */
    uint32_t piece_capacity;
    symbol *symbols; /* [2 symbol_capacity]: the second half is for sorting */
    size_t symbol_capacity;
    tg_normalized *out;
} writer;

/* ---- a run of characters ---- */

/* Room for `more` symbols after n. */
static bool reserve_symbols(writer *z, size_t n, size_t more)
{
    if (n + more <= z->symbol_capacity)
        return true;
    const size_t capacity = 2 * (n + more) + 30;
    if (capacity > INT32_MAX / (2 * sizeof(symbol)))
        return false;
    symbol *larger = realloc(z->symbols, 2 * capacity * sizeof *larger);
    if (!larger)
        return false;
    z->symbols = larger;
    z->symbol_capacity = capacity;
    return true;
}

/* Decomposes the characters from `at` up to and including those that join it. Returns the end of
 * the run, and in *n the number of symbols; 0 when out of memory. */
static size_t decompose_run(writer *z, size_t at, size_t must_reach, size_t *n)
{
    *n = 0;
    while (at < z->length) {
        const tg_char c = tgi_char_at(z->text, at, z->length);
        if (at >= must_reach && !(tgi_normal_bits(z->normalizer, c.code) & TG_NORMAL_JOINS))
            break;
        uint32_t parts[TG_NORMAL_MAX_PARTS];
        const size_t n_parts = tgi_normal_decompose(z->normalizer, c.code, parts);
        if (!reserve_symbols(z, *n, n_parts))
            return 0;
        at += c.length;
        for (size_t i = 0; i < n_parts; i++)
            z->symbols[(*n)++] =
                (symbol){parts[i], (uint32_t)at,
                         (uint8_t)(tgi_normal_bits(z->normalizer, parts[i]) & TG_NORMAL_RANK)};
    }
    return at;
}

/* Sorts marks by their classes; those of the same class keep their order. */
static void sort_marks(symbol *marks, size_t n, symbol *scratch)
{
    if (n <= 16) {
        for (size_t i = 1; i < n; i++) {
            const symbol mark = marks[i];
            size_t k = i;
            for (; k > 0 && marks[k - 1].rank > mark.rank; k--)
                marks[k] = marks[k - 1];
            marks[k] = mark;
        }
        return;
    }
    size_t begins[TG_NORMAL_RANKS + 1] = {0};
    for (size_t i = 0; i < n; i++)
        begins[marks[i].rank + 1]++;
    for (size_t rank = 1; rank <= TG_NORMAL_RANKS; rank++)
        begins[rank] += begins[rank - 1];
    for (size_t i = 0; i < n; i++)
        scratch[begins[marks[i].rank]++] = marks[i];
    memcpy(marks, scratch, n * sizeof *marks);
}

static void sort_run(writer *z, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        const size_t from = i;
        while (i < n && z->symbols[i].rank)
            i++;
        sort_marks(z->symbols + from, i - from, z->symbols + z->symbol_capacity);
    }
}

/* Composes each starter with the symbols after it, unless a symbol between the two blocks this.
 * Returns how many symbols are left. */
static size_t compose_run(const tg_normalizer *normalizer, symbol *symbols, size_t n)
{
    size_t kept = 0, starter = SIZE_MAX;
    bool follows = false; /* nothing is kept between the starter and the symbol */
    for (size_t i = 0; i < n; i++) {
        const symbol s = symbols[i];
        if (starter != SIZE_MAX &&
            (follows || (symbols[kept - 1].rank && symbols[kept - 1].rank < s.rank))) {
            const uint32_t code = tgi_normal_compose(normalizer, symbols[starter].code, s.code);
            if (code) {
                symbols[starter].code = code;
                if (s.end > symbols[starter].end)
                    symbols[starter].end = s.end;
                continue;
            }
        }
        follows = s.rank == 0;
        if (follows)
            starter = kept;
        symbols[kept++] = s;
    }
    return kept;
}

/* ---- the output ---- */

/* Room for n more bytes of output. */
static bool reserve(writer *z, size_t n)
{
    if (z->out->length + n <= z->capacity)
        return true;
    const size_t capacity = z->capacity ? 2 * z->capacity + n : z->length + n + 64;
    if (capacity > MAX_BYTES)
        return false;
    char *larger = realloc(z->out->text, capacity);
    if (!larger)
        return false;
    z->out->text = larger;
    z->capacity = capacity;
    return true;
}

/* Copies the text up to this byte. */
static bool copy_to(writer *z, size_t to)
{
    const size_t n = to - z->copied;
    if (!reserve(z, n))
        return false;
    if (n)
        memcpy(z->out->text + z->out->length, z->text + z->copied, n);
    z->out->length += n;
    z->copied = to;
    return true;
}

/* Puts out the symbols of the run [from, to). */
static bool put_run(writer *z, size_t from, size_t to, size_t n)
{
    if (!copy_to(z, from))
        return false;
    for (size_t i = 0; i < n; i++) {
        char bytes[4];
        const uint32_t length = tgi_utf8_encode(z->symbols[i].code, bytes);
        const size_t end = i + 1 == n                      ? to
                           : z->symbols[i].end > z->copied ? z->symbols[i].end
                                                           : z->copied;
        if (!reserve(z, length))
            return false;
        const uint32_t begin = (uint32_t)z->out->length;
        memcpy(z->out->text + begin, bytes, length);
        z->out->length += length;
        const bool same = end - z->copied == length && !memcmp(z->text + z->copied, bytes, length);
        if (!same) {
            if (!tgi_grow((void **)&z->out->pieces, (uint32_t)z->out->n_pieces, &z->piece_capacity,
                          sizeof *z->out->pieces))
                return false;
            z->out->pieces[z->out->n_pieces++] =
                (tg_normal_piece){begin, begin + length, (uint32_t)end};
        }
        z->copied = end;
    }
    return true;
}

/* Whether the symbols are the run [from, to) as it was given. */
static bool is_as_given(const writer *z, size_t from, size_t to, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        char bytes[4];
        const uint32_t length = tgi_utf8_encode(z->symbols[i].code, bytes);
        if (length > to - from || memcmp(z->text + from, bytes, length))
            return false;
        from += length;
    }
    return from == to;
}

/* Normalizes the run that begins at `from` and has a character with bits at `at`. Returns its end;
 * 0 when out of memory. */
static size_t normalize_run(writer *z, size_t from, size_t at)
{
    size_t n;
    const size_t to = decompose_run(z, from, at + 1, &n);
    if (!to)
        return 0;
    sort_run(z, n);
    n = compose_run(z->normalizer, z->symbols, n);
    return is_as_given(z, from, to, n) || put_run(z, from, to, n) ? to : 0;
}

static bool normalize_all(writer *z)
{
    /* where the run of the next character begins if it joins; SIZE_MAX: at that character */
    size_t from = SIZE_MAX;
    for (size_t at = 0; at < z->length;) {
        if ((uint8_t)z->text[at] < 0x80) {
            from = at++;
            continue;
        }
        const tg_char c = tgi_char_at(z->text, at, z->length);
        const uint8_t bits = c.code < TG_NORMAL_FIRST ? 0 : tgi_normal_bits(z->normalizer, c.code);
        if (bits) {
            at = normalize_run(z, (bits & TG_NORMAL_JOINS) && from != SIZE_MAX ? from : at, at);
            if (!at)
                return false;
            from = SIZE_MAX;
        } else {
            from = c.code == TG_NO_CHARACTER ? SIZE_MAX : at;
            at += c.length;
        }
    }
    return !z->out->text || copy_to(z, z->length);
}

bool tgi_normalize(const tg_normalizer *normalizer, const char *text, size_t length,
                   tg_normalized *out)
{
    writer z = {.normalizer = normalizer, .text = text, .length = length, .out = out};
    *out = (tg_normalized){0};
    const bool ok = length <= MAX_BYTES && normalize_all(&z);
    free(z.symbols);
    return ok;
}

void tgi_normalized_free(tg_normalized *normalized)
{
    free(normalized->text);
    free(normalized->pieces);
}

void tgi_normalized_positions(const tg_normalized *normalized, uint32_t *positions, size_t n)
{
    size_t k = 0; /* pieces that begin before the position */
    for (size_t i = 0; i < n; i++) {
        const tg_normal_piece *pieces = normalized->pieces;
        while (k < normalized->n_pieces && pieces[k].begin < positions[i])
            k++;
        if (!k)
            continue;
        const tg_normal_piece *before = &pieces[k - 1];
        positions[i] =
            before->end_given + (positions[i] > before->end ? positions[i] - before->end : 0);
    }
}
