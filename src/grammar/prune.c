/* Drops stacks that can do nothing that another stack cannot. They come from repetitions of
 * repetitions: after six letters, ([a-z]{0,9}){0,9} has read one word of six, or six words of one,
 * and whatever can follow the second can follow the first. Without this, the ways to read a text
 * would be as many as its partitions. */
#include "automaton.h"

#include <stdlib.h>

#define NEIGHBOURS 64u /* stacks of one shape with which each is compared */

/* Whether a repetition with this `aux` may end after the element that it is in. */
static bool may_end(const tg_repeat *repeat, uint32_t aux)
{
    return repeat->nullable || aux >= repeat->min;
}

uint32_t tgi_frame_shape(const tg_automaton *a, tg_frame frame)
{
    const tg_node node = a->rules->nodes[frame.node];
    const bool counts =
        node.op == TG_NODE_REPEAT && frame.aux && may_end(&a->rules->repeats[node.b], frame.aux);
    const uint32_t below = frame.parent ? a->frames[frame.parent].shape : 0;
    uint32_t h = (below ^ frame.node * 0x9e3779b1u) * 0x85ebca77u;
    h = (h ^ h >> 15 ^ (counts ? 0 : frame.aux)) * 0x2c1b3c6du;
    return h ^ h >> 13;
}

/* Whether what can follow `other` can follow `one`: they differ in counts only, and each repetition
 * of `one` may end and has at least as many elements left. */
static bool covers(const tg_automaton *a, uint32_t one, uint32_t other)
{
    while (one != other) {
        if (one == TG_FRAME_NONE || other == TG_FRAME_NONE)
            return false;
        const tg_frame x = a->frames[one], y = a->frames[other];
        if (x.node != y.node)
            return false;
        if (x.aux != y.aux) {
            const tg_node node = a->rules->nodes[x.node];
            if (node.op != TG_NODE_REPEAT || !x.aux || x.aux > y.aux ||
                !may_end(&a->rules->repeats[node.b], x.aux))
                return false;
        }
        one = x.parent;
        other = y.parent;
    }
    return true;
}

/* By node, then by shape, which is in n_new; then by frame, so that the order is always the same.
 */
static int by_shape(const void *a, const void *b)
{
    const tg_visit *x = a, *y = b;
    if (x->node != y->node)
        return x->node < y->node ? -1 : 1;
    if (x->n_new != y->n_new)
        return x->n_new < y->n_new ? -1 : 1;
    return (x->frame > y->frame) - (x->frame < y->frame);
}

/* The end of the stacks of one node and shape that begin at `first`. */
static uint32_t group_end(const tg_automaton *a, uint32_t first, uint32_t n)
{
    uint32_t end = first + 1;
    while (end < n && a->work[end].node == a->work[first].node &&
           a->work[end].n_new == a->work[first].n_new)
        end++;
    return end;
}

void tgi_automaton_prune(tg_automaton *a)
{
    const uint32_t n = a->n_found;
    if (n <= a->limits.prune || !a->rules->n_repeats ||
        !tgi_automaton_room(a, (void **)&a->work, 0, n, &a->work_capacity, sizeof *a->work))
        return;
    for (uint32_t i = 0; i < n; i++) {
        const uint32_t frame = (uint32_t)a->found[i];
        a->work[i] = (tg_visit){(uint32_t)(a->found[i] >> 32), frame,
                                frame ? a->frames[frame].shape : 0, true}; /* round: it stays */
    }
    qsort(a->work, n, sizeof *a->work, by_shape);
    for (uint32_t first = 0, end; first < n; first = end) {
        end = group_end(a, first, n);
        for (uint32_t i = first; i < end; i++)
            for (uint32_t k = i + 1; k < end && k - i < NEIGHBOURS && a->work[i].round; k++) {
                a->n_steps++;
                if (a->work[k].round && covers(a, a->work[k].frame, a->work[i].frame))
                    a->work[i].round = false;
                else if (a->work[k].round && covers(a, a->work[i].frame, a->work[k].frame))
                    a->work[k].round = false;
            }
    }
    a->n_found = 0;
    for (uint32_t i = 0; i < n; i++)
        if (a->work[i].round)
            a->found[a->n_found++] = (uint64_t)a->work[i].node << 32 | a->work[i].frame;
}
