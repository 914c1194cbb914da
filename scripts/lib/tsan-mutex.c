/* Tells the thread sanitizer of Synchronization.Mutex, preloaded by scripts/sanitize.
 *
 * The mutex' fast paths are inlined into the program, which is instrumented: its atomics are seen. The slow ones, taken under
 * contention, are in Swift's prebuilt library: what they order isn't seen, and every contended mutex would be reported as a
 * race. Here they are followed, and preceded, by what the sanitizer understands. Nothing is hidden by that: memory that is
 * touched without the mutex is reported as before. (Swift 6.3; other names than these would change nothing, so
 * scripts/sanitize checks that they are there.)
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdbool.h>
#include <stdint.h>

#define SWIFT __attribute__((swiftcall))
#define SELF __attribute__((swift_context))

/* Weak: the tests' child processes have no sanitizer in them. */
extern void __tsan_acquire(void *) __attribute__((weak));
extern void __tsan_release(void *) __attribute__((weak));

/* _MutexHandle._lockSlow(_: UInt32), _tryLockSlow() -> Bool, _unlockSlow() */
#define LOCK "$s15Synchronization12_MutexHandleV9_lockSlowyys6UInt32VF"
#define TRY "$s15Synchronization12_MutexHandleV12_tryLockSlowSbyF"
#define UNLOCK "$s15Synchronization12_MutexHandleV11_unlockSlowyyF"

SWIFT void lock(uint32_t, SELF void *) __asm__(LOCK);
SWIFT bool try_lock(SELF void *) __asm__(TRY);
SWIFT void unlock(SELF void *) __asm__(UNLOCK);

typedef SWIFT void (*lock_call)(uint32_t, SELF void *);
typedef SWIFT bool (*try_call)(SELF void *);
typedef SWIFT void (*unlock_call)(SELF void *);

static lock_call real_lock;
static try_call real_try;
static unlock_call real_unlock;

__attribute__((constructor)) static void find(void) {
    real_lock = (lock_call)dlsym(RTLD_NEXT, LOCK);
    real_try = (try_call)dlsym(RTLD_NEXT, TRY);
    real_unlock = (unlock_call)dlsym(RTLD_NEXT, UNLOCK);
}

SWIFT void lock(uint32_t thread, SELF void *mutex) {
    real_lock(thread, mutex);
    if (__tsan_acquire) __tsan_acquire(mutex);
}

SWIFT bool try_lock(SELF void *mutex) {
    bool taken = real_try(mutex);
    if (taken && __tsan_acquire) __tsan_acquire(mutex);
    return taken;
}

SWIFT void unlock(SELF void *mutex) {
    if (__tsan_release) __tsan_release(mutex);
    real_unlock(mutex);
}
