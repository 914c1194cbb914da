// What Linux has and Swift can't call: variadic functions, headers that the Glibc module leaves out, and fork, between which
// and exec no Swift may run.
#ifndef CLINUX_SHIM_H
#define CLINUX_SHIM_H

#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <unistd.h>

// From <linux/fcntl.h>, which can't be included beside <fcntl.h>; the latter has them only with _GNU_SOURCE.
#ifndef F_OFD_GETLK
#define F_OFD_GETLK 36
#define F_OFD_SETLK 37
#endif

// Two descriptors that no program started meanwhile inherits. pipe2 is declared only with _GNU_SOURCE.
static inline int clinux_pipe(int ends[2]) {
    return (int)syscall(SYS_pipe2, ends, O_CLOEXEC);
}

static inline int clinux_become_subreaper(void) {
    return prctl(PR_SET_CHILD_SUBREAPER, 1UL, 0UL, 0UL, 0UL);
}

static inline int clinux_pidfd_open(pid_t pid) {
    return (int)syscall(SYS_pidfd_open, pid, 0);
}

static inline int clinux_pidfd_send_signal(int pidfd, int number) {
    return (int)syscall(SYS_pidfd_send_signal, pidfd, number, NULL, 0);
}

// Takes an exclusive lock that ends with the open file: 0, or an error.
static inline int clinux_lock(int descriptor) {
    struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    return fcntl(descriptor, F_OFD_SETLK, &lock) == 0 ? 0 : errno;
}

// Whether somebody holds such a lock: 1, 0, or -1 with errno. Nothing is locked meanwhile.
static inline int clinux_is_locked(int descriptor) {
    struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    if (fcntl(descriptor, F_OFD_GETLK, &lock) != 0) return -1;
    return lock.l_type == F_UNLCK ? 0 : 1;
}

// A program to start as a child, in a session of its own.
struct clinux_program {
    const char *path;
    char *const *arguments;
    char *const *environment;
    const char *directory;
    int input, output, errors;
    // Open `cgroup.procs` files of the groups it belongs to.
    const int *groups;
    size_t group_count;
    // 0 leaves a limit as it is.
    uint64_t data_limit, descriptor_limit;
    int nice;
    int no_new_privileges;
};

enum clinux_stage {
    clinux_stage_none, clinux_stage_fork, clinux_stage_group, clinux_stage_limit, clinux_stage_directory,
    clinux_stage_exec
};

struct clinux_failure {
    int stage;
    int error;
};

static inline void clinux_child_fails(int report, int stage) {
    struct clinux_failure failure = {stage, errno};
    ssize_t written = write(report, &failure, sizeof failure);
    (void)written;
    _exit(127);
}

static inline void clinux_set_limit(int report, int resource, uint64_t value) {
    struct rlimit limit;
    if (getrlimit((__rlimit_resource_t)resource, &limit) != 0) clinux_child_fails(report, clinux_stage_limit);
    // What is tighter already stays so; only root could loosen it.
    if (limit.rlim_max == RLIM_INFINITY || limit.rlim_max > value) limit.rlim_max = value;
    limit.rlim_cur = limit.rlim_max;
    if (setrlimit((__rlimit_resource_t)resource, &limit) != 0) clinux_child_fails(report, clinux_stage_limit);
}

// Starts a program. Only calls that are safe in a child of a process with threads stand after the fork.
// Returns its process id, or -1 with `failure` filled in.
static inline pid_t clinux_start(const struct clinux_program *program, struct clinux_failure *failure) {
    int report[2];
    failure->stage = clinux_stage_fork;
    if (clinux_pipe(report) != 0) {
        failure->error = errno;
        return -1;
    }
    pid_t child = fork();
    if (child < 0) {
        failure->error = errno;
        close(report[0]);
        close(report[1]);
        return -1;
    }
    if (child == 0) {
        setsid();
        for (size_t i = 0; i < program->group_count; i++) {
            if (write(program->groups[i], "0", 1) != 1) clinux_child_fails(report[1], clinux_stage_group);
        }
        // A machine short of memory should end a bot before what looks after it.
        int score = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);
        if (score >= 0) {
            ssize_t written = write(score, "500", 3);
            (void)written;
            close(score);
        }
        if (program->data_limit != 0) clinux_set_limit(report[1], RLIMIT_DATA, program->data_limit);
        if (program->descriptor_limit != 0) clinux_set_limit(report[1], RLIMIT_NOFILE, program->descriptor_limit);
        clinux_set_limit(report[1], RLIMIT_CORE, 0);
        if (program->nice != 0) setpriority(PRIO_PROCESS, 0, program->nice);
        if (program->no_new_privileges) prctl(PR_SET_NO_NEW_PRIVS, 1UL, 0UL, 0UL, 0UL);
        if (chdir(program->directory) != 0) clinux_child_fails(report[1], clinux_stage_directory);
        if (dup2(program->input, 0) < 0 || dup2(program->output, 1) < 0 || dup2(program->errors, 2) < 0) {
            clinux_child_fails(report[1], clinux_stage_exec);
        }
        struct sigaction action;
        memset(&action, 0, sizeof action);
        action.sa_handler = SIG_DFL;
        for (int number = 1; number < NSIG; number++) sigaction(number, &action, NULL);
        sigset_t none;
        sigemptyset(&none);
        sigprocmask(SIG_SETMASK, &none, NULL);
        execve(program->path, program->arguments, program->environment);
        clinux_child_fails(report[1], clinux_stage_exec);
    }
    close(report[1]);
    ssize_t count;
    do {
        count = read(report[0], failure, sizeof *failure);
    } while (count < 0 && errno == EINTR);
    close(report[0]);
    if (count == 0) {
        failure->stage = clinux_stage_none;
        return child;
    }
    if (count != (ssize_t)sizeof *failure) {
        failure->stage = clinux_stage_exec;
        failure->error = EIO;
    }
    // It is left to whoever reaps.
    return -1;
}

#endif
