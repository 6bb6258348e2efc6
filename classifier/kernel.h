/* The sizes and constants that the kernel shares with Python, and what passes between `kernel.c` and `kernelmodule.c`.
 *
 * Each constant has its home in Python, under the same name. `classifier.kernel` compares all of them when it loads the
 * extension, and refuses an extension that differs in one.
 */
#ifndef LEAVE_KERNEL_H
#define LEAVE_KERNEL_H

#include <stdint.h>

#define LABELS 7
#define VIEWS 2
#define UNITS 16
#define SHAPE 23 /* structure numbers */

#define BUCKETS (1u << 18)
#define ROWS (BUCKETS + (1u << 13) + 1)
#define SITE_BUCKETS (1u << 16)
#define OUT_OF_VOCABULARY_ROWS (5 * SITE_BUCKETS)
#define HASH_STEP 0x9E3779B1u
#define WORD_SALT 0x5BD1E995u
#define BIGRAM 0x27D4EB2Fu
#define PLACEHOLDER 0x1B873593u
#define MIX_FIRST 0x85EBCA6Bu
#define MIX_SECOND 0xC2B2AE35u

#define LONG 600
#define SEGMENT 100
#define WINDOW 2
#define CHANCE 0.8
#define WORDS 1.5
#define OUT_OF_VOCABULARY 12.0
#define SITE_SCALE 0.3922322702763681
#define LIMIT 8.0f

typedef uint32_t point; /* a code point */

/* What is the same for every text of a call. */
typedef struct {
    const float *table;      /* [ROWS, VIEWS, LABELS + 1] */
    const uint8_t *fingerprints; /* [BUCKETS] of the n-gram that has each bucket, or NULL: every n-gram of a bucket counts */
    const float *bias;       /* [VIEWS, LABELS] */
    const uint32_t *terms;   /* [count] hashes of the identity terms, sorted */
    int64_t count;
    const float *correction; /* [SITE_BUCKETS, LABELS], or NULL */
    const float *shift;      /* [LABELS], with a correction */
    const float *stage;      /* [3 × LABELS + SHAPE, LABELS] the second stage */
    const float *stage_bias; /* [LABELS] */
    const int8_t *hidden;    /* [ROWS, UNITS] */
    const float *unit_scale; /* [UNITS] what one of them is worth */
    const float *unit_bias;  /* [UNITS] */
    const float *unit_out;   /* [UNITS, LABELS] */
    const float *unit_start; /* [LABELS] */
} Model;

/* The result for one text: `linear.Linear`, and the log-odds. */
typedef struct {
    float whole[VIEWS][LABELS];
    float window_excess[LABELS];
    float hidden[LABELS];
    float site[LABELS];
    float log_odds[LABELS];
} Result;

/* texts: code points laid end to end, first all as written (`views.as_written`), then all folded (`Fold`); bounds: [2 × count + 1]
 * where each begins; shapes: [count, SHAPE]; results: [count], all zeros. Returns 0, or 1 where there is no memory. */
int leave_kernel_score(const Model *model, const point *texts, const int64_t *bounds, const float *shapes, int64_t count,
                       Result *results);

#endif
