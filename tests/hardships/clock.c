/* Loaded before the C library: every process that it is loaded into sees a clock that is some seconds ahead, or behind.

   The seconds are the eight bytes of the file that SET_CLOCK names; writing another number sets the clock of all of them at once.
   Clocks that nobody sets (CLOCK_MONOTONIC) go on as they do. It includes no header, so that any C compiler alone can build it. */

struct timespec { long seconds, nanoseconds; };
struct timeval { long seconds, microseconds; };

extern void *dlsym(void *, const char *);
extern char *getenv(const char *);
extern int open(const char *, int, ...);
extern int close(int);
extern void *mmap(void *, unsigned long, int, int, int, long);

enum { REALTIME = 0, REALTIME_COARSE = 5, CLOSE_ON_EXEC = 02000000, READ = 1, SHARED = 1 };
static const long nothing = 0;
static const volatile long *ahead;
static int (*stock)(int, struct timespec *);

static void begin(void)
{
    void *next = (void *)-1L, *failed = (void *)-1L, *seen = failed;
    const char *path = getenv("SET_CLOCK");
    int file = path ? open(path, CLOSE_ON_EXEC) : -1;
    if (file >= 0) {
        seen = mmap(0, sizeof(long), READ, SHARED, file, 0);
        close(file);
    }
    stock = (int (*)(int, struct timespec *))dlsym(next, "clock_gettime");
    ahead = seen == failed ? &nothing : seen;
}

int clock_gettime(int clock, struct timespec *now)
{
    int failed;
    if (!ahead)
        begin();
    failed = stock(clock, now);
    if (!failed && (clock == REALTIME || clock == REALTIME_COARSE))
        now->seconds += *ahead;
    return failed;
}

int gettimeofday(struct timeval *now, void *zone)
{
    struct timespec then;
    clock_gettime(REALTIME, &then);
    if (now) {
        now->seconds = then.seconds;
        now->microseconds = then.nanoseconds / 1000;
    }
    return 0;
}

long time(long *now)
{
    struct timespec then;
    clock_gettime(REALTIME, &then);
    if (now)
        *now = then.seconds;
    return then.seconds;
}
