/* Loaded before the system's library: makes the call with the number KGQ_FAULT fail, of those that change files, once.
   Each of them is a line of the file KGQ_CALLS. With KGQ_WITHOUT_SYNC nothing is synced, and no call says so. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

static atomic_int calls;

static int fails(const char *what) {
    int number = atomic_fetch_add(&calls, 1) + 1;
    const char *log = getenv("KGQ_CALLS"), *fault = getenv("KGQ_FAULT");
    if (log) {
        int file = (int)syscall(SYS_openat, AT_FDCWD, log, O_WRONLY | O_APPEND | O_CREAT, 0600);
        char line[64];
        int length = snprintf(line, sizeof line, "%s\n", what);
        if (file >= 0) {
            syscall(SYS_write, file, line, (size_t)length);
            syscall(SYS_close, file);
        }
    }
    if (!fault || atoi(fault) != number) return 0;
    errno = EIO;
    return 1;
}

/* Pipes, sockets and terminals hold no files. */
static int is_file(int fd) {
    struct stat about;
    return fstat(fd, &about) == 0 && (S_ISREG(about.st_mode) || S_ISDIR(about.st_mode));
}

ssize_t write(int fd, const void *bytes, size_t count) {
    if (is_file(fd) && fails("write")) return -1;
    return syscall(SYS_write, fd, bytes, count);
}

static int synced(int fd, long call) {
    if (getenv("KGQ_WITHOUT_SYNC")) return 0;
    return fails("fsync") ? -1 : (int)syscall(call, fd);
}

int fsync(int fd) { return synced(fd, SYS_fsync); }

int fdatasync(int fd) { return synced(fd, SYS_fdatasync); }

int rename(const char *from, const char *to) {
    return fails("rename") ? -1 : (int)syscall(SYS_renameat2, AT_FDCWD, from, AT_FDCWD, to, 0);
}

int unlink(const char *path) { return fails("unlink") ? -1 : (int)syscall(SYS_unlinkat, AT_FDCWD, path, 0); }

int mkdir(const char *path, mode_t mode) { return fails("mkdir") ? -1 : (int)syscall(SYS_mkdirat, AT_FDCWD, path, mode); }

int fchmod(int fd, mode_t mode) { return fails("fchmod") ? -1 : (int)syscall(SYS_fchmod, fd, mode); }

static int opened(const char *path, int flags, mode_t mode) {
    if ((flags & O_CREAT) && fails("create")) return -1;
    return (int)syscall(SYS_openat, AT_FDCWD, path, flags, mode);
}

int open(const char *path, int flags, ...) {
    va_list more;
    va_start(more, flags);
    mode_t mode = (flags & O_CREAT) ? va_arg(more, mode_t) : 0;
    va_end(more);
    return opened(path, flags, mode);
}

int open64(const char *path, int flags, ...) {
    va_list more;
    va_start(more, flags);
    mode_t mode = (flags & O_CREAT) ? va_arg(more, mode_t) : 0;
    va_end(more);
    return opened(path, flags | O_LARGEFILE, mode);
}
