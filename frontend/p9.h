/* A request of 9P2000.L as its function gets it, and the answer that it writes. */
#ifndef FRONTEND_P9_H
#define FRONTEND_P9_H

#include "frontend/share_internal.h"

enum { P9_HEADER = 7, P9_WALK_MOST = 16, P9_TEXT = 4096, P9_MSIZE_LEAST = 4096 };
enum { P9_WRITES = 1 };

struct p9_call {
    u64 n[10];             /* numbers in their order; of a fid, its index */
    char text[2][P9_TEXT]; /* texts and names in their order */
    char name[P9_WALK_MOST][NAME_SIZE];
    u32 names;
    const u8 *data;
    u32 data_size;
};
/* What does not fit is not written, and `full` says so. */
struct p9_answer {
    u8 *bytes;
    u32 size, room;
    bool full;
};
void p9_put(struct p9_answer *a, u64 value, unsigned bytes);
void p9_put_text(struct p9_answer *a, const char *text);
void p9_put_qid(const struct share *s, struct p9_answer *a, const struct stat *st);
/* How many bytes of data fit behind their count. */
u32 p9_room(const struct p9_answer *a);

/* Each returns 0, its answer written, or an error number. */
typedef int p9_fn(struct share *s, const struct p9_call *c, struct p9_answer *a);
#define P9(name, ...) p9_fn p9_##name;
#include "frontend/p9.def"

/* ---- p9_io.c ---- */
/* The host's descriptor of a fid that was opened; it is opened again when it is no more. */
int fid_file(struct share *s, u32 fid, int *fd);
/* The same of a file that has lost its name: of any fid that has it open. -1: of none. */
int node_file(struct share *s, u32 node);

#endif
