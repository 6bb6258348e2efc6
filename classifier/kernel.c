/* The serving half of `views.normalised`, `hashing.py`, `linear.py`, `hidden.py` and `combine.py`, for one core and no
 * allocation per n-gram.
 *
 * Those say why each step is as it is; this does the same steps, and `tests/classifier/test_kernel.py` holds that it gives the
 * same numbers for any text. Nothing in here knows Python: `kernelmodule.c` calls it with the interpreter unlocked, from several
 * threads at once.
 */
#include "kernel.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define WAITING 32
#ifdef __GNUC__
#define FETCH(address) __builtin_prefetch(address)
#else
#define FETCH(address) ((void)0)
#endif

static int letter(point c) { return c >= 'a' && c <= 'z'; }
static int digit(point c) { return c >= '0' && c <= '9'; }
static int letter_or_digit(point c) { return letter(c) || digit(c); }
static int gap(point c) { return c == ' ' || c == '.' || c == '_' || c == '*' || c == '-'; }
static int mark(point c) {
    return c == '@' || c == '$' || c == '0' || c == '1' || c == '3' || c == '4' || c == '5' || c == '7';
}
static int leet(point c) { return c == '!' || mark(c); }
static int inner(point c) {
    return c == '.' || c == '*' || c == '_' || c == '\'' || c == 0x2019 || c == '`' || c == '~' || c == '^' || c == '|' ||
           c == '+' || c == '-';
}
static int repeats(point c) { return letter(c) || c == '!' || c == '?' || c == '.'; }

static point read_as(point c) {
    switch (c) {
    case '@': case '4': return 'a';
    case '$': case '5': return 's';
    case '!': case '1': return 'i';
    case '0': return 'o';
    case '3': return 'e';
    default: return 't';
    }
}

/* The four substitutions of `views._undone`, each in place: none makes a text longer. `before` is the character before, as it
 * was when the pass began. */

static int64_t spaced(point *t, int64_t size) {
    int64_t to = 0, i = 0;
    point before = ' ';
    while (i < size) {
        if (letter(t[i]) && !letter_or_digit(before)) {
            int64_t last = i, last_but_one = i, groups = 0;
            for (;;) {
                int64_t next = last + 1;
                if (next >= size || !gap(t[next])) break;
                next++;
                if (next < size && gap(t[next])) next++;
                if (next >= size || !letter(t[next])) break;
                last_but_one = last;
                last = next;
                groups++;
            }
            if (last + 1 < size && letter_or_digit(t[last + 1])) { /* that letter begins a word of its own */
                last = last_but_one;
                groups--;
            }
            if (groups >= 2) {
                before = t[last];
                for (; i <= last; i++)
                    if (letter(t[i])) t[to++] = t[i];
                continue;
            }
        }
        before = t[i];
        t[to++] = t[i++];
    }
    return to;
}

static void unleet(point *t, int64_t size) {
    int64_t i = 0;
    point before = ' ';
    while (i < size) {
        int64_t run = 0;
        if (leet(t[i])) {
            while (run < 4 && i + run < size && leet(t[i + run])) run++;
            if (run > 3 || i + run >= size || !letter(t[i + run])) {
                int64_t most = !letter(before) || !mark(t[i]) ? 0 : i + 1 < size && mark(t[i + 1]) ? 2 : 1;
                point after = i + most < size ? t[i + most] : ' ';
                run = letter_or_digit(after) || after == '@' || after == '$' ? 0 : most;
            }
        }
        if (!run) {
            before = t[i++];
            continue;
        }
        for (int64_t end = i + run; i < end; i++) {
            before = t[i];
            t[i] = read_as(t[i]);
        }
    }
}

static int64_t joined_inside(point *t, int64_t size) {
    int64_t to = 0, i = 0;
    point before = ' ';
    while (i < size) {
        if (letter(before) && inner(t[i])) {
            int64_t run = 1;
            while (run < 4 && i + run < size && inner(t[i + run])) run++;
            if (run <= 3 && i + run < size && letter(t[i + run])) i += run;
        }
        before = t[i];
        t[to++] = t[i++];
    }
    return to;
}

static int64_t shortened(point *t, int64_t size) {
    int64_t to = 0, i = 0;
    while (i < size) {
        int64_t run = 1;
        while (i + run < size && t[i + run] == t[i]) run++;
        int64_t kept = run >= 3 && repeats(t[i]) ? 1 : run;
        point c = t[i];
        for (int64_t k = 0; k < kept; k++) t[to++] = c;
        i += run;
    }
    return to;
}

static int64_t single_spaces(point *t, int64_t size) {
    int64_t to = 0;
    for (int64_t i = 0; i < size; i++)
        if (t[i] != ' ' || (to && t[to - 1] != ' ')) t[to++] = t[i];
    return to && t[to - 1] == ' ' ? to - 1 : to;
}

static int64_t undone(point *t, int64_t size) {
    size = spaced(t, size);
    unleet(t, size);
    size = joined_inside(t, size);
    size = shortened(t, size);
    return single_spaces(t, size);
}

typedef struct {
    int64_t start, end;
    uint32_t hash;
    int named;
} Word;

/* Sums of rows, of characters and of words; in double, so that the difference of two running sums is a window's. */
typedef struct {
    double part[2][LABELS + 1];
} Sums;

/* Sums of the hidden units, of characters and of words. */
typedef struct {
    double part[2][UNITS];
} Units;

/* What a site's correction adds, and how many of the n-grams are out of vocabulary. */
typedef struct {
    double part[2][LABELS];
    int64_t unknown[2];
} Moved;

static uint32_t mixed(uint32_t h) {
    h *= MIX_FIRST;
    h ^= h >> 15;
    return h * MIX_SECOND;
}
static uint32_t row_of(const Model *model, uint32_t h) {
    uint32_t both = mixed(h), bucket = both >> 14;
    uint8_t fingerprint = (uint8_t)(both >> 6);
    if (!model->fingerprints || (fingerprint && model->fingerprints[bucket] == fingerprint)) return bucket;
    return OUT_OF_VOCABULARY_ROWS + bucket % SITE_BUCKETS;
}
static uint32_t identity_row_of(uint32_t h) { return (mixed(h) >> 19) + BUCKETS; }

static int dense(point c) { return c >= 0x2e80 || (c >= 0x1100 && c <= 0x11ff); }
static int in_word(point c) {
    if (c < 128) return digit(c) || letter(c) || (c >= 'A' && c <= 'Z');
    return !(c >= 0x2000 && c <= 0x206f) && !(c >= 0x3000 && c <= 0x303f);
}

static int is_term(const Model *model, uint32_t hash) {
    int64_t low = 0, high = model->count;
    while (low < high) {
        int64_t middle = (low + high) / 2;
        if (model->terms[middle] < hash) low = middle + 1;
        else high = middle;
    }
    return low < model->count && model->terms[low] == hash;
}

/* Rows that are on their way from memory: the table is larger than the caches, and waiting for one row after the other was
 * two thirds of the time of a comment. */
typedef struct {
    const Model *model;
    const float *of_view;
    Units *units; /* or NULL: of this view nobody asks for them */
    uint32_t row[WAITING];
    int count;
} Coming;

static void add_up(Coming *coming, int part, Sums *sums, Moved *moved) {
    const Model *model = coming->model;
    float few[LABELS + 1] = {0}; /* a few rows may be summed in float, twice as many at once */
    for (int at = 0; at < coming->count; at++) {
        const float *values = coming->of_view + (int64_t)coming->row[at] * VIEWS * (LABELS + 1);
        for (int k = 0; k <= LABELS; k++) few[k] += values[k];
    }
    for (int k = 0; k <= LABELS; k++) sums->part[part][k] += few[k];
    if (coming->units) {
        int16_t said[UNITS] = {0}; /* WAITING bytes are far from its end */
        for (int at = 0; at < coming->count; at++) {
            const int8_t *values = model->hidden + (int64_t)coming->row[at] * UNITS;
            for (int k = 0; k < UNITS; k++) said[k] += values[k];
        }
        for (int k = 0; k < UNITS; k++) coming->units->part[part][k] += said[k];
    }
    for (int at = 0; model->correction && at < coming->count; at++) {
        uint32_t row = coming->row[at];
        const float *more = model->correction + (int64_t)(row % SITE_BUCKETS) * LABELS;
        double length = sqrt(coming->of_view[(int64_t)row * VIEWS * (LABELS + 1) + LABELS]);
        for (int k = 0; k < LABELS; k++) moved->part[part][k] += length * more[k];
    }
    coming->count = 0;
}

static void add(Coming *coming, uint32_t row, int part, Sums *sums, Moved *moved) {
    if (row >= OUT_OF_VOCABULARY_ROWS) {
        const float *more = coming->model->correction;
        if (!more) return;
        more += (int64_t)(row % SITE_BUCKETS) * LABELS;
        for (int k = 0; k < LABELS; k++) moved->part[part][k] += sqrt(OUT_OF_VOCABULARY) * more[k];
        moved->unknown[part]++;
        return;
    }
    FETCH(coming->of_view + (int64_t)row * VIEWS * (LABELS + 1));
    if (coming->units) FETCH(coming->model->hidden + (int64_t)row * UNITS);
    coming->row[coming->count++] = row;
    if (coming->count == WAITING) add_up(coming, part, sums, moved);
}

static int64_t words_of(const Model *model, const point *t, int64_t size, Word *words, int *named) {
    int64_t count = 0;
    *named = 0;
    for (int64_t i = 1; i < size;) {
        if (!in_word(t[i])) {
            i++;
            continue;
        }
        uint32_t hash = 0, power = 1;
        Word *word = words + count++;
        word->start = i;
        for (; in_word(t[i]); i++, power *= HASH_STEP) hash += t[i] * power; /* a text ends in a space */
        word->end = i;
        word->hash = hash + WORD_SALT;
        word->named = is_term(model, word->hash);
        *named |= word->named;
    }
    return count;
}

/* One segment: the n-grams that begin at `low` … `high` - 1, and the words `word` … `stop` - 1 of `words`. */
static void segment(const Model *model, int view, const point *t, const uint8_t *near, int64_t low, int64_t high,
                    const Word *words, int64_t count, int64_t word, int64_t stop, Sums *sums, Units *units, Moved *moved) {
    Coming coming = {.model = model, .of_view = model->table + view * (LABELS + 1), .units = units, .count = 0};
    for (int64_t i = low; i < high; i++) {
        uint32_t h = t[i] * HASH_STEP + t[i + 1];
        for (int length = dense(t[i]) || dense(t[i + 1]) ? 2 : 3; length <= 5; length++) {
            if (length > 2) {
                if (t[i + length - 2] == ' ') break;
                h = h * HASH_STEP + t[i + length - 1];
            }
            int special = near && memchr(near + i, 1, (size_t)length) != NULL;
            add(&coming, special ? identity_row_of(h) : row_of(model, h), 0, sums, moved);
        }
    }
    add_up(&coming, 0, sums, moved);
    for (; word < stop; word++) {
        const Word *one = words + word, *next = word + 1 < count ? one + 1 : NULL;
        uint32_t seen = one->named ? PLACEHOLDER : one->hash;
        add(&coming, row_of(model, seen), 1, sums, moved);
        if (one->named) add(&coming, identity_row_of(one->hash), 1, sums, moved);
        if (!next) continue;
        add(&coming, row_of(model, seen * BIGRAM + (next->named ? PLACEHOLDER : next->hash)), 1, sums, moved);
        if (one->named || next->named) add(&coming, identity_row_of(one->hash * BIGRAM + next->hash), 1, sums, moved);
    }
    add_up(&coming, 1, sums, moved);
}

static double log_odds(const Sums *to, const Sums *from, int label) {
    double square[2], value[2];
    for (int part = 0; part < 2; part++) {
        square[part] = to->part[part][LABELS] - from->part[part][LABELS];
        value[part] = to->part[part][label] - from->part[part][label];
    }
    return value[0] / sqrt(square[0] + 1) + WORDS * value[1] / sqrt(square[1] + 1);
}

/* `hidden.Hidden.log_odds` of a text, from the sums of all of it. */
static void hidden_units(const Model *model, const Sums *total, const Units *units, Result *result) {
    double log_odds[LABELS];
    for (int k = 0; k < LABELS; k++) log_odds[k] = model->unit_start[k];
    double of_chars = 1 / sqrt(total->part[0][LABELS] + 1), of_words = WORDS / sqrt(total->part[1][LABELS] + 1);
    for (int unit = 0; unit < UNITS; unit++) {
        double sum = units->part[0][unit] * of_chars + units->part[1][unit] * of_words;
        double said = tanh(sum * model->unit_scale[unit] + model->unit_bias[unit]);
        for (int k = 0; k < LABELS; k++) log_odds[k] += said * model->unit_out[unit * LABELS + k];
    }
    for (int k = 0; k < LABELS; k++) result->hidden[k] = (float)log_odds[k];
}

/* One view of one text, between two spaces: t[0] and t[size - 1]. */
static void one_view(const Model *model, int view, const point *t, int64_t size, Word *words, uint8_t *near, Sums *running,
                     Result *result) {
    int named;
    int64_t count = words_of(model, t, size, words, &named);
    if (named) {
        memset(near, 0, (size_t)size);
        for (int64_t k = 0; k < count; k++)
            if (words[k].named) memset(near + words[k].start, 1, (size_t)(words[k].end - words[k].start));
    }
    int64_t length = size - 1, step = length <= LONG ? length : SEGMENT, parts = 0, word = 0;
    Moved moved = {0};
    Units units = {0};
    Units *asked = view == VIEWS - 1 ? &units : NULL;
    memset(running, 0, sizeof *running);
    for (int64_t low = 0; low < length; low += step) {
        int64_t high = low + step < length ? low + step : length, stop = word;
        while (stop < count && words[stop].start < high) stop++;
        running[parts + 1] = running[parts];
        parts++;
        segment(model, view, t, named ? near : NULL, low, high, words, count, word, stop, running + parts, asked,
                &moved);
        word = stop;
    }
    double total[LABELS];
    for (int k = 0; k < LABELS; k++) {
        total[k] = log_odds(running + parts, running, k);
        result->whole[view][k] = (float)(total[k] + model->bias[view * LABELS + k]);
    }
    int64_t run = WINDOW < parts ? WINDOW : parts;
    for (int k = 0; parts > 1 && k < LABELS; k++) {
        double highest = -INFINITY;
        for (int64_t at = run; at <= parts; at++) {
            double here = log_odds(running + at, running + at - run, k);
            if (here > highest) highest = here;
        }
        double beyond = highest - total[k] - CHANCE * log((double)parts);
        if (beyond > 0) result->window_excess[k] += (float)(beyond / VIEWS);
    }
    if (asked) hidden_units(model, running + parts, asked, result);
    if (!model->correction) return;
    for (int part = 0; part < 2; part++) {
        double scale = (part ? WORDS : 1) * SITE_SCALE / sqrt(running[parts].part[part][LABELS] + OUT_OF_VOCABULARY * moved.unknown[part] + 1);
        for (int k = 0; k < LABELS; k++) result->site[k] += (float)(moved.part[part][k] * scale);
    }
}

/* `combine.Combine.log_odds` of one text; shape: [SHAPE] its structure numbers. */
static void second_stage(const Model *model, const float *shape, Result *result) {
    for (int k = 0; k < LABELS; k++) {
        const float *stage = model->stage + k;
        double sum = model->stage_bias[k];
        for (int of = 0; of < LABELS; of++) {
            double whole = 0;
            for (int view = 0; view < VIEWS; view++) whole += result->whole[view][of];
            sum += whole / VIEWS * stage[of * LABELS] + result->window_excess[of] * stage[(LABELS + of) * LABELS];
            sum += result->hidden[of] * stage[(2 * LABELS + of) * LABELS];
        }
        for (int at = 0; at < SHAPE; at++) sum += shape[at] * stage[(3 * LABELS + at) * LABELS];
        float site = result->site[k];
        result->log_odds[k] = (float)(sum + (site < -LIMIT ? -LIMIT : site > LIMIT ? LIMIT : site));
    }
}

int leave_kernel_score(const Model *model, const point *texts, const int64_t *bounds, const float *shapes, int64_t count,
                       Result *results) {
    int64_t longest = 0;
    for (int64_t k = 0; k < VIEWS * count; k++)
        if (bounds[k + 1] - bounds[k] > longest) longest = bounds[k + 1] - bounds[k];
    size_t room = (size_t)longest + 6; /* a space before and behind, and what an n-gram at the end looks at */
    point *text = malloc(room * sizeof *text);
    Word *words = malloc(room * sizeof *words);
    uint8_t *near = malloc(room);
    Sums *running = malloc((room / SEGMENT + 3) * sizeof *running);
    int failed = !text || !words || !near || !running;
    for (int64_t k = 0; !failed && k < VIEWS * count; k++) {
        int64_t size = bounds[k + 1] - bounds[k], at = k % count;
        int view = (int)(k / count);
        memcpy(text + 1, texts + bounds[k], (size_t)size * sizeof *text);
        if (view == 1) size = undone(text + 1, size);
        text[0] = ' ';
        for (int64_t end = size + 1; end < size + 6 && end < (int64_t)room; end++) text[end] = ' ';
        one_view(model, view, text, size + 2, words, near, running, results + at);
        if (view < VIEWS - 1) continue;
        for (int label = 0; model->shift && label < LABELS; label++) results[at].site[label] += model->shift[label];
        second_stage(model, shapes + at * SHAPE, results + at);
    }
    free(text);
    free(words);
    free(near);
    free(running);
    return failed;
}
