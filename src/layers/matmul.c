/* Matrix products. The strips of all matrices with the same input form one task, so that the
 * threads synchronize once for several products. */
#include "layers.h"

/* The fewest strips that a thread takes: the atomic operation for them is then cheap. */
#define MIN_STRIPS 8

typedef struct matmul_task {
    tg_scratch *s;
    const float *x;
    size_t x_stride; /* floats */
    uint32_t n;      /* rows of x */
    const tg_matmul_op *ops;
    size_t n_ops;
} matmul_task;

static void quantize(void *context, size_t first, size_t last, uint32_t thread)
{
    const matmul_task *task = context;
    const tg_scratch *s = task->s;
    (void)thread;
    for (size_t t = first; t < last; t++)
        s->kernels->quantize_q8(task->x + t * task->x_stride, task->ops->matrix->cols,
                                s->act + t * s->act_blocks);
}

/* Strips first to last - 1 of one matrix, with the bias of their rows. */
static void multiply_strips(const matmul_task *task, const tg_matmul_op *op, size_t first,
                            size_t last)
{
    const tg_scratch *s = task->s;
    const tg_matrix *matrix = op->matrix;
    const bool is_q8 = tg_quants[matrix->quant].activation == TG_ACT_Q8;
    const void *x = is_q8 ? (const void *)s->act : task->x;
    const size_t x_bytes = is_q8 ? s->act_blocks * sizeof *s->act : task->x_stride * sizeof(float);
    tgi_kernels_matmul(s->kernels, matrix->quant)(matrix->tiles, matrix->n_blocks, first, last, x,
                                                  x_bytes, task->n, op->y, op->y_stride);
    const size_t rows = last * TG_TILE_ROWS,
                 bias_end = rows < op->bias.length ? rows : op->bias.length;
    for (size_t t = 0; t < task->n && op->bias.length; t++)
        for (size_t i = first * TG_TILE_ROWS; i < bias_end; i++)
            op->y[t * op->y_stride + i] += op->bias.values[i];
}

/* Strips first to last - 1, numbered through all matrices. */
static void multiply(void *context, size_t first, size_t last, uint32_t thread)
{
    const matmul_task *task = context;
    (void)thread;
    for (const tg_matmul_op *op = task->ops; last; op++) {
        const size_t strips = tgi_matrix_strips(op->matrix), end = last < strips ? last : strips;
        if (first < strips)
            multiply_strips(task, op, first, end);
        first = first < strips ? 0 : first - strips;
        last -= end;
    }
}

void tgi_matmul(tg_scratch *s, const float *x, size_t x_stride, uint32_t n, const tg_matmul_op *ops,
                size_t n_ops)
{
    matmul_task task = {s, x, x_stride, n, ops, n_ops};
    double start = tgi_profile_begin(&s->profile);
    size_t strips = 0;
    bool needs_q8 = false;
    for (size_t i = 0; i < n_ops; i++) {
        strips += tgi_matrix_strips(ops[i].matrix);
        needs_q8 |= tg_quants[ops[i].matrix->quant].activation == TG_ACT_Q8;
    }
    if (needs_q8 && s->quantized_input != x) {
        tgi_run(s, n, 4, quantize, &task);
        s->quantized_input = x;
        tgi_profile_end(&s->profile, TG_STEP_quantize, start);
        start = tgi_profile_begin(&s->profile);
    }
    tgi_run(s, strips, MIN_STRIPS, multiply, &task);
    tgi_profile_end(&s->profile, TG_STEP_matmul, start);
}
