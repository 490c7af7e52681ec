/* Files below a folder which nobody may leave, whatever the host's other programs exchange meanwhile:
 * frontend/inside.c. */
#ifndef FRONTEND_INSIDE_H
#define FRONTEND_INSIDE_H

/* "/proc/self/fd/FD": what a descriptor leads to, by a path. */
const char *fd_name(int fd, char text[32]);
/* The folder of that name in `dir`, which is closed; -1: errno. */
int folder_enter(int dir, const char *name);
/* What a descriptor of O_PATH leads to, opened; -1: errno. */
int file_reopen(int path, int flags);
/* A regular file below `root` by its path, opened to be read: one component after the other, no symbolic link among
 * them. -1: errno, EACCES where the path leads elsewhere or to something else. */
int inside_open(int root, const char *path);

#endif
