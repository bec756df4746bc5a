/* Preloaded into a process: its wall clock is ahead by the seconds in the file that CLOCK_STEP names; no other clock is. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static long ahead(void)
{
    const char *name = getenv("CLOCK_STEP");
    char text[24];
    int kept = errno, file;
    long size;

    if (name == NULL)
        return 0;
    file = syscall(SYS_openat, AT_FDCWD, name, O_RDONLY | O_CLOEXEC);
    size = file < 0 ? 0 : syscall(SYS_read, file, text, sizeof text - 1);
    if (file >= 0)
        syscall(SYS_close, file);
    errno = kept;
    if (size <= 0)
        return 0;
    text[size] = 0;
    return strtol(text, NULL, 10);
}

static int is_wall(clockid_t id)
{
    return id == CLOCK_REALTIME || id == CLOCK_REALTIME_COARSE;
}

int clock_gettime(clockid_t id, struct timespec *at)
{
    int failed = syscall(SYS_clock_gettime, id, at);

    if (failed == 0 && is_wall(id))
        at->tv_sec += ahead();
    return failed;
}

int gettimeofday(struct timeval *restrict at, void *restrict zone)
{
    struct timespec now;

    (void)zone;
    clock_gettime(CLOCK_REALTIME, &now);
    at->tv_sec = now.tv_sec;
    at->tv_usec = now.tv_nsec / 1000;
    return 0;
}

time_t time(time_t *at)
{
    struct timespec now;

    clock_gettime(CLOCK_REALTIME, &now);
    if (at != NULL)
        *at = now.tv_sec;
    return now.tv_sec;
}
