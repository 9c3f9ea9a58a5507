/* Writes down everything a program does to the files below one folder, so that a test can tell what of it
 * a disk may still hold when the power fails. Loaded with LD_PRELOAD; changes nothing of what is done.
 *
 * WB_POWER_DIR  the folder, absolute and without links
 * WB_POWER_LOG  where it is written down; several programs may write one after the other
 *
 * A record: one byte of what was done, then inode, offset, length of the path and length of the data,
 * 8 bytes each, then path and data. Memory that is mapped is not seen: of ours only SQLite's -shm is, and
 * that is made anew from the log after a crash. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#define FDS_MAX 4096
#define SENT_MAX 64

static int log_fd = -1;
static char watched_dir[PATH_MAX];
static size_t watched_len;
static uint64_t watched[FDS_MAX]; /* the inode behind a number, where it is one of ours */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

__attribute__((constructor)) static void begin(void) {
    const char *dir = getenv("WB_POWER_DIR"), *log = getenv("WB_POWER_LOG");
    if (!dir || !log) return;
    int fd = syscall(SYS_openat, AT_FDCWD, log, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
    log_fd = fcntl(fd, F_DUPFD_CLOEXEC, 1000);
    syscall(SYS_close, fd);
    snprintf(watched_dir, sizeof watched_dir, "%s", dir);
    watched_len = strlen(watched_dir);
}

static void put(char what, uint64_t inode, uint64_t offset, const char *path, const void *data, uint64_t len) {
    if (log_fd < 0) return;
    int kept = errno;
    uint64_t head[4] = {inode, offset, path ? strlen(path) : 0, len};
    struct iovec parts[4] = {{&what, 1}, {head, sizeof head}, {(void *)path, head[2]}, {(void *)data, len}};
    pthread_mutex_lock(&lock);
    if (syscall(SYS_writev, log_fd, parts, 4) != (ssize_t)(1 + sizeof head + head[2] + len)) abort();
    pthread_mutex_unlock(&lock);
    errno = kept;
}

static int absolute(int dir, const char *path, char *out) {
    if (path[0] == '/') {
        snprintf(out, PATH_MAX, "%s", path);
    } else {
        char base[PATH_MAX];
        if (dir == AT_FDCWD) {
            if (!getcwd(base, sizeof base)) return 0;
        } else {
            char link[64];
            snprintf(link, sizeof link, "/proc/self/fd/%d", dir);
            ssize_t n = readlink(link, base, sizeof base - 1);
            if (n < 0) return 0;
            base[n] = 0;
        }
        if (snprintf(out, PATH_MAX, "%s/%s", base, path) >= PATH_MAX) return 0;
    }
    return log_fd >= 0 && strncmp(out, watched_dir, watched_len) == 0 &&
           (out[watched_len] == '/' || out[watched_len] == 0);
}

static uint64_t ours(int fd) {
    struct stat found;
    if (log_fd < 0 || fd < 0 || fd >= FDS_MAX || !watched[fd]) return 0;
    if (fstat(fd, &found) != 0 || (uint64_t)found.st_ino != watched[fd]) return 0;
    return watched[fd];
}

static int do_open(int dir, const char *path, int flags, mode_t mode) {
    char whole[PATH_MAX];
    struct stat found;
    int is_ours = (flags & O_TMPFILE) != O_TMPFILE && absolute(dir, path, whole);
    int was_there = is_ours && stat(whole, &found) == 0;
    int fd = syscall(SYS_openat, dir, path, flags, mode);
    if (fd < 0 || fd >= FDS_MAX) return fd;
    watched[fd] = 0;
    if (!is_ours || fstat(fd, &found) != 0) return fd;
    watched[fd] = found.st_ino;
    if (!was_there) put('C', found.st_ino, 0, whole, NULL, 0);
    else if (flags & O_TRUNC) put('T', found.st_ino, 0, NULL, NULL, 0);
    return fd;
}

#define MODE_OF(flags) \
    mode_t mode = 0; \
    if ((flags) & (O_CREAT | O_TMPFILE)) { \
        va_list rest; \
        va_start(rest, flags); \
        mode = va_arg(rest, mode_t); \
        va_end(rest); \
    }

int open(const char *path, int flags, ...) { MODE_OF(flags) return do_open(AT_FDCWD, path, flags, mode); }
int open64(const char *path, int flags, ...) { MODE_OF(flags) return do_open(AT_FDCWD, path, flags, mode); }
int openat(int dir, const char *path, int flags, ...) { MODE_OF(flags) return do_open(dir, path, flags, mode); }
int openat64(int dir, const char *path, int flags, ...) { MODE_OF(flags) return do_open(dir, path, flags, mode); }

/* What a program tells: on its standard output, and on sockets (the beginning of it). */
static void told(int fd, const void *data, ssize_t len) {
    struct stat found;
    if (log_fd < 0 || len <= 0 || fd == log_fd) return;
    if (fd == 1) {
        put('O', 0, 0, NULL, data, len);
    } else if (fstat(fd, &found) == 0 && S_ISSOCK(found.st_mode)) {
        put('N', 0, len, NULL, data, len < SENT_MAX ? len : SENT_MAX);
    }
}

/* Sending is written down before it happens: from then on the other side may have it. */
ssize_t write(int fd, const void *data, size_t len) {
    uint64_t inode = ours(fd);
    off_t at = inode ? lseek(fd, 0, SEEK_CUR) : 0;
    if (!inode) told(fd, data, len);
    ssize_t done = syscall(SYS_write, fd, data, len);
    if (inode && done > 0) put('W', inode, at, NULL, data, done);
    return done;
}

static ssize_t do_pwrite(int fd, const void *data, size_t len, off_t at) {
    ssize_t done = syscall(SYS_pwrite64, fd, data, len, at);
    uint64_t inode = ours(fd);
    if (inode && done > 0) put('W', inode, at, NULL, data, done);
    return done;
}
ssize_t pwrite(int fd, const void *data, size_t len, off_t at) { return do_pwrite(fd, data, len, at); }
ssize_t pwrite64(int fd, const void *data, size_t len, off64_t at) { return do_pwrite(fd, data, len, at); }

ssize_t writev(int fd, const struct iovec *parts, int count) {
    if (!ours(fd)) {
        if (count > 0) told(fd, parts[0].iov_base, parts[0].iov_len);
        return syscall(SYS_writev, fd, parts, count);
    }
    ssize_t done = 0;
    for (int i = 0; i < count; i++) {
        ssize_t one = write(fd, parts[i].iov_base, parts[i].iov_len);
        if (one < 0) return done ? done : one;
        done += one;
        if ((size_t)one < parts[i].iov_len) break;
    }
    return done;
}

ssize_t send(int fd, const void *data, size_t len, int flags) {
    told(fd, data, len);
    return syscall(SYS_sendto, fd, data, len, flags, NULL, 0);
}

ssize_t sendmsg(int fd, const struct msghdr *message, int flags) {
    if (message->msg_iovlen > 0) told(fd, message->msg_iov[0].iov_base, message->msg_iov[0].iov_len);
    return syscall(SYS_sendmsg, fd, message, flags);
}

static int do_truncate(int fd, off_t len) {
    int done = syscall(SYS_ftruncate, fd, len);
    uint64_t inode = ours(fd);
    if (inode && done == 0) put('T', inode, len, NULL, NULL, 0);
    return done;
}
int ftruncate(int fd, off_t len) { return do_truncate(fd, len); }
int ftruncate64(int fd, off64_t len) { return do_truncate(fd, len); }

static int do_sync(int call, int fd) {
    int done = syscall(call, fd);
    uint64_t inode = ours(fd);
    if (inode && done == 0) put('S', inode, 0, NULL, NULL, 0);
    return done;
}
int fsync(int fd) { return do_sync(SYS_fsync, fd); }
int fdatasync(int fd) { return do_sync(SYS_fdatasync, fd); }

int rename(const char *from, const char *to) {
    char old[PATH_MAX], new[PATH_MAX];
    int is_ours = absolute(AT_FDCWD, from, old) & absolute(AT_FDCWD, to, new);
    int done = syscall(SYS_renameat2, AT_FDCWD, from, AT_FDCWD, to, 0);
    if (is_ours && done == 0) put('R', 0, 0, old, new, strlen(new));
    return done;
}

int unlinkat(int dir, const char *path, int flags) {
    char whole[PATH_MAX];
    int is_ours = absolute(dir, path, whole);
    int done = syscall(SYS_unlinkat, dir, path, flags);
    if (is_ours && done == 0) put('U', 0, 0, whole, NULL, 0);
    return done;
}
int unlink(const char *path) { return unlinkat(AT_FDCWD, path, 0); }
int rmdir(const char *path) { return unlinkat(AT_FDCWD, path, AT_REMOVEDIR); }

int mkdir(const char *path, mode_t mode) {
    char whole[PATH_MAX];
    struct stat found;
    int is_ours = absolute(AT_FDCWD, path, whole);
    int done = syscall(SYS_mkdirat, AT_FDCWD, path, mode);
    if (is_ours && done == 0 && stat(whole, &found) == 0) put('M', found.st_ino, 0, whole, NULL, 0);
    return done;
}
