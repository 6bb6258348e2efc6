/* `classifier._kernel`: what `classifier/kernel.py` calls. It checks the sizes of everything that `kernel.c` reads and writes.
 *
 * Within the stable ABI of Python 3.11: one file serves every later Python too. */
#define PY_SSIZE_T_CLEAN
#define Py_LIMITED_API 0x030B0000
#include <Python.h>

#include "kernel.h"

static const struct {
    const char *name;
    double value;
} constants[] = {
#define CONSTANT(name) {#name, name}
    CONSTANT(LABELS),     CONSTANT(VIEWS),      CONSTANT(UNITS),       CONSTANT(SHAPE),       CONSTANT(BUCKETS),
    CONSTANT(ROWS),       CONSTANT(OUT_OF_VOCABULARY_ROWS),    CONSTANT(SITE_BUCKETS), CONSTANT(HASH_STEP),  CONSTANT(WORD_SALT),
    CONSTANT(BIGRAM),     CONSTANT(PLACEHOLDER), CONSTANT(MIX_FIRST),  CONSTANT(MIX_SECOND),  CONSTANT(LONG),
    CONSTANT(SEGMENT),    CONSTANT(WINDOW),     CONSTANT(CHANCE),      CONSTANT(WORDS),       CONSTANT(OUT_OF_VOCABULARY),
    CONSTANT(SITE_SCALE), CONSTANT(LIMIT),
#undef CONSTANT
};

/* The arrays of a model, in the order of the arguments; bytes: their size, or -1 where it is up to the model. */
static const struct {
    const char *name;
    Py_ssize_t bytes;
    int optional;
} arrays[] = {
    {"table", sizeof(float) * ROWS * VIEWS * (LABELS + 1), 0},
    {"fingerprints", BUCKETS, 1},
    {"bias", sizeof(float) * VIEWS * LABELS, 0},
    {"terms", -1, 0},
    {"correction", sizeof(float) * SITE_BUCKETS * LABELS, 1},
    {"shift", sizeof(float) * LABELS, 1},
    {"stage", sizeof(float) * (3 * LABELS + SHAPE) * LABELS, 0},
    {"stage_bias", sizeof(float) * LABELS, 0},
    {"hidden", ROWS * UNITS, 0},
    {"unit_scale", sizeof(float) * UNITS, 0},
    {"unit_bias", sizeof(float) * UNITS, 0},
    {"unit_out", sizeof(float) * UNITS * LABELS, 0},
    {"unit_start", sizeof(float) * LABELS, 0},
};
enum { ARRAYS = sizeof arrays / sizeof arrays[0] };

typedef struct {
    PyObject_HEAD
    Model model;
    Py_buffer held[ARRAYS]; /* the addresses in `model` are good as long as these are held */
} ModelObject;

static int wrong_size(const char *name, Py_ssize_t bytes, Py_ssize_t expected) {
    PyErr_Format(PyExc_ValueError, "%s has %zd bytes, not %zd", name, bytes, expected);
    return -1;
}

static PyObject *model_new(PyTypeObject *type, PyObject *args, PyObject *named) {
    if (PyTuple_Size(args) != ARRAYS || (named && PyDict_Size(named))) {
        PyErr_Format(PyExc_TypeError, "Model takes %d arrays by position", (int)ARRAYS);
        return NULL;
    }
    allocfunc allocate = (allocfunc)PyType_GetSlot(type, Py_tp_alloc);
    ModelObject *self = (ModelObject *)allocate(type, 0);
    if (!self) return NULL;
    for (int at = 0; at < ARRAYS; at++) {
        PyObject *given = PyTuple_GetItem(args, at);
        if (given == Py_None && arrays[at].optional) continue;
        if (PyObject_GetBuffer(given, &self->held[at], PyBUF_SIMPLE)) goto refused;
        Py_ssize_t bytes = self->held[at].len;
        if (arrays[at].bytes >= 0 && bytes != arrays[at].bytes) {
            wrong_size(arrays[at].name, bytes, arrays[at].bytes);
            goto refused;
        }
    }
    const Py_buffer *held = self->held;
    self->model = (Model){
        .table = held[0].buf,
        .fingerprints = held[1].buf,
        .bias = held[2].buf,
        .terms = held[3].buf,
        .count = held[3].len / (Py_ssize_t)sizeof(uint32_t),
        .correction = held[4].buf,
        .shift = held[5].buf,
        .stage = held[6].buf,
        .stage_bias = held[7].buf,
        .hidden = held[8].buf,
        .unit_scale = held[9].buf,
        .unit_bias = held[10].buf,
        .unit_out = held[11].buf,
        .unit_start = held[12].buf,
    };
    return (PyObject *)self;
refused:
    Py_DECREF(self);
    return NULL;
}

static void model_dealloc(PyObject *object) {
    ModelObject *self = (ModelObject *)object;
    PyTypeObject *type = Py_TYPE(object);
    for (int at = 0; at < ARRAYS; at++) PyBuffer_Release(&self->held[at]);
    ((freefunc)PyType_GetSlot(type, Py_tp_free))(object);
    Py_DECREF(type);
}

static int in_order(const Py_buffer *bounds, Py_ssize_t points) {
    const int64_t *at = bounds->buf;
    Py_ssize_t last = bounds->len / (Py_ssize_t)sizeof *at - 1;
    int good = at[0] == 0 && at[last] == points;
    for (Py_ssize_t k = 0; k < last; k++) good &= at[k] <= at[k + 1];
    if (!good) PyErr_SetString(PyExc_ValueError, "bounds are not those of the points");
    return good;
}

static PyObject *model_score(PyObject *object, PyObject *const *args, Py_ssize_t given) {
    enum { POINTS, BOUNDS, SHAPES, RESULTS, ALL };
    static const char *const names[] = {"points", "bounds", "shapes", "results"};
    if (given != ALL) {
        PyErr_SetString(PyExc_TypeError, "score takes points, bounds, shapes and results");
        return NULL;
    }
    Py_buffer taken[ALL] = {{0}};
    PyObject *answer = NULL;
    for (int at = 0; at < ALL; at++)
        if (PyObject_GetBuffer(args[at], &taken[at], at == RESULTS ? PyBUF_WRITABLE : PyBUF_SIMPLE)) goto done;
    Py_ssize_t count = taken[RESULTS].len / (Py_ssize_t)sizeof(Result);
    const Py_ssize_t expected[] = {
        taken[POINTS].len / (Py_ssize_t)sizeof(point) * (Py_ssize_t)sizeof(point),
        (VIEWS * count + 1) * (Py_ssize_t)sizeof(int64_t),
        count * SHAPE * (Py_ssize_t)sizeof(float),
        count * (Py_ssize_t)sizeof(Result),
    };
    for (int at = 0; at < ALL; at++)
        if (taken[at].len != expected[at]) {
            wrong_size(names[at], taken[at].len, expected[at]);
            goto done;
        }
    if (!in_order(&taken[BOUNDS], taken[POINTS].len / (Py_ssize_t)sizeof(point))) goto done;
    int failed;
    Py_BEGIN_ALLOW_THREADS
    failed = leave_kernel_score(&((ModelObject *)object)->model, taken[POINTS].buf, taken[BOUNDS].buf, taken[SHAPES].buf, count,
                                taken[RESULTS].buf);
    Py_END_ALLOW_THREADS
    if (failed) PyErr_NoMemory();
    else answer = Py_NewRef(Py_None);
done:
    for (int at = 0; at < ALL; at++) PyBuffer_Release(&taken[at]);
    return answer;
}

static PyMethodDef methods[] = {
    {"score", (PyCFunction)(void (*)(void))model_score, METH_FASTCALL,
     "score(points, bounds, shapes, results): fills results, with the interpreter unlocked."},
    {NULL, NULL, 0, NULL},
};
static PyType_Slot slots[] = {
    {Py_tp_new, model_new},
    {Py_tp_dealloc, model_dealloc},
    {Py_tp_methods, methods},
    {Py_tp_doc, "The arrays of one model, held while it lives."},
    {0, NULL},
};
static PyType_Spec spec = {"classifier._kernel.Model", sizeof(ModelObject), 0, Py_TPFLAGS_DEFAULT, slots};

static int fill(PyObject *module) {
    PyObject *type = PyType_FromModuleAndSpec(module, &spec, NULL);
    int failed = !type || PyModule_AddObjectRef(module, "Model", type);
    Py_XDECREF(type);
    PyObject *shared = PyDict_New();
    failed |= !shared;
    for (size_t at = 0; !failed && at < sizeof constants / sizeof constants[0]; at++) {
        PyObject *value = PyFloat_FromDouble(constants[at].value);
        failed = !value || PyDict_SetItemString(shared, constants[at].name, value);
        Py_XDECREF(value);
    }
    failed = failed || PyModule_AddObjectRef(module, "CONSTANTS", shared);
    Py_XDECREF(shared);
    return failed || PyModule_AddStringConstant(module, "SOURCES", SOURCES) ? -1 : 0;
}

static PyModuleDef_Slot module_slots[] = {{Py_mod_exec, fill}, {0, NULL}};
static PyModuleDef definition = {
    .m_base = PyModuleDef_HEAD_INIT,
    .m_name = "classifier._kernel",
    .m_doc = "Scoring in C: see classifier/kernel.py.",
    .m_slots = module_slots,
};

PyMODINIT_FUNC PyInit__kernel(void) { return PyModuleDef_Init(&definition); }
