// The system calls that a container may make under `RuntimeDefault`: everything not named here fails with EPERM.
// A table of data, written from syscalls(2) and the manual pages of each call: what programs need is listed by purpose; what changes the
// host or reaches past namespaces (mount, modules, clocks, kexec, bpf, keyrings, raw I/O, new namespaces) is allowed only with its capability.

const FILES = `access chdir chmod chown chown32 close close_range copy_file_range creat dup dup2 dup3 faccessat faccessat2
fadvise64 fadvise64_64 fallocate fchdir fchmod fchmodat fchmodat2 fchown fchown32 fchownat fcntl fcntl64 fdatasync fgetxattr
flistxattr flock fremovexattr fsetxattr fstat fstat64 fstatat64 fstatfs fstatfs64 fsync ftruncate ftruncate64 futimesat getcwd
getdents getdents64 getxattr getxattrat inotify_add_watch inotify_init inotify_init1 inotify_rm_watch fanotify_mark lchown
lchown32 lgetxattr link linkat listxattr listxattrat llistxattr lremovexattr lseek lsetxattr lstat lstat64 _llseek mkdir
mkdirat mknod mknodat name_to_handle_at newfstatat open openat openat2 pread64 preadv preadv2 pwrite64 pwritev pwritev2
read readahead readlink readlinkat readv removexattr removexattrat rename renameat renameat2 rmdir sendfile sendfile64
setxattr setxattrat splice stat stat64 statfs statfs64 statx symlink symlinkat sync sync_file_range syncfs tee truncate
truncate64 umask unlink unlinkat utime utimensat utimensat_time64 utimes vmsplice write writev cachestat statmount listmount`;

const MEMORY = `brk get_mempolicy madvise map_shadow_stack membarrier memfd_create memfd_secret mincore mlock mlock2 mlockall
mmap mmap2 mprotect mremap mseal msync munlock munlockall munmap pkey_alloc pkey_free pkey_mprotect remap_file_pages
process_mrelease`;

const PROCESSES = `arch_prctl capget capset execve execveat exit exit_group fork vfork get_robust_list get_thread_area
getcpu getegid getegid32 geteuid geteuid32 getgid getgid32 getgroups getgroups32 getpgid getpgrp getpid getppid getpriority
getresgid getresgid32 getresuid getresuid32 getrlimit getrusage getsid gettid getuid getuid32 ioprio_get ioprio_set kill
landlock_add_rule landlock_create_ruleset landlock_restrict_self modify_ldt pidfd_open pidfd_send_signal prctl prlimit64
restart_syscall rseq sched_get_priority_max sched_get_priority_min sched_getaffinity sched_getattr sched_getparam
sched_getscheduler sched_rr_get_interval sched_rr_get_interval_time64 sched_setaffinity sched_setattr sched_setparam
sched_setscheduler sched_yield seccomp set_robust_list set_thread_area set_tid_address setfsgid setfsgid32 setfsuid
setfsuid32 setgid setgid32 setgroups setgroups32 setpgid setpriority setregid setregid32 setresgid setresgid32 setresuid
setresuid32 setreuid setreuid32 setrlimit setsid setuid setuid32 sysinfo tgkill times tkill ugetrlimit uname wait4 waitid
waitpid process_madvise`;

const SIGNALS = `alarm pause rt_sigaction rt_sigpending rt_sigprocmask rt_sigqueueinfo rt_sigreturn rt_sigsuspend
rt_sigtimedwait rt_sigtimedwait_time64 rt_tgsigqueueinfo sigaltstack signal sigaction signalfd signalfd4 sigpending
sigprocmask sigreturn sigsuspend`;

const WAITING = `_newselect clock_getres clock_getres_time64 clock_gettime clock_gettime64 clock_nanosleep
clock_nanosleep_time64 epoll_create epoll_create1 epoll_ctl epoll_ctl_old epoll_pwait epoll_pwait2 epoll_wait epoll_wait_old
eventfd eventfd2 futex futex_requeue futex_time64 futex_wait futex_waitv futex_wake getitimer gettimeofday io_cancel
io_destroy io_getevents io_pgetevents io_pgetevents_time64 io_setup io_submit nanosleep poll ppoll ppoll_time64 pselect6
pselect6_time64 select setitimer time timer_create timer_delete timer_getoverrun timer_gettime timer_gettime64 timer_settime
timer_settime64 timerfd_create timerfd_gettime timerfd_gettime64 timerfd_settime timerfd_settime64`;

const TALKING = `accept accept4 bind connect getpeername getsockname getsockopt ioctl ipc listen mq_getsetattr mq_notify mq_open
mq_timedreceive mq_timedreceive_time64 mq_timedsend mq_timedsend_time64 mq_unlink msgctl msgget msgrcv msgsnd pipe pipe2 recv
recvfrom recvmmsg recvmmsg_time64 recvmsg semctl semget semop semtimedop semtimedop_time64 send sendmmsg sendmsg sendto
setsockopt shmat shmctl shmdt shmget shutdown socketcall socketpair getrandom`;

const ALWAYS = [FILES, MEMORY, PROCESSES, SIGNALS, WAITING, TALKING];

/** Calls that come with a capability. */
const WITH_CAPABILITY: Readonly<Record<string, string>> = {
  CAP_DAC_READ_SEARCH: 'open_by_handle_at',
  CAP_SYS_ADMIN: `bpf clone clone3 fanotify_init fsconfig fsmount fsopen fspick lookup_dcookie mount mount_setattr move_mount
    open_tree perf_event_open quotactl quotactl_fd setdomainname sethostname setns syslog umount umount2 unshare`,
  CAP_SYS_BOOT: 'reboot',
  CAP_SYS_CHROOT: 'chroot',
  CAP_SYS_MODULE: 'delete_module finit_module init_module',
  CAP_SYS_PACCT: 'acct',
  CAP_SYS_PTRACE: 'kcmp pidfd_getfd process_vm_readv process_vm_writev ptrace',
  CAP_SYS_RAWIO: 'ioperm iopl',
  CAP_SYS_TIME:
    'adjtimex clock_adjtime clock_adjtime64 clock_settime clock_settime64 settimeofday stime',
  CAP_SYS_TTY_CONFIG: 'vhangup',
  CAP_SYS_NICE: 'get_mempolicy mbind move_pages set_mempolicy set_mempolicy_home_node',
  CAP_SYSLOG: 'syslog',
  CAP_BPF: 'bpf',
  CAP_PERFMON: 'perf_event_open',
};

/** One rule as runc takes it. */
export interface SeccompRule {
  readonly names: readonly string[];
  readonly action: 'SCMP_ACT_ALLOW' | 'SCMP_ACT_ERRNO';
  readonly errnoRet?: number;
  readonly args?: readonly {
    index: number;
    value: number;
    valueTwo?: number;
    op: 'SCMP_CMP_EQ' | 'SCMP_CMP_NE' | 'SCMP_CMP_MASKED_EQ';
  }[];
}

/** `linux.seccomp` of the OCI runtime specification. */
export interface SeccompProfile {
  readonly defaultAction: 'SCMP_ACT_ERRNO';
  readonly defaultErrnoRet: number;
  readonly architectures: readonly string[];
  readonly syscalls: readonly SeccompRule[];
}

const EPERM = 1;
const ENOSYS = 38;
const AF_VSOCK = 40;
/** CLONE_NEWNS, NEWCGROUP, NEWUTS, NEWIPC, NEWUSER, NEWPID and NEWNET together. */
const CLONE_NEW_ANYTHING = 0x7e020000;
/** Execution domains that do not weaken the process: Linux, 32-bit Linux, both with UNAME26, and "tell me". */
const SAFE_PERSONALITIES = [0x0, 0x8, 0x20000, 0x20008, 0xffffffff];

/** The x32 calls of amd64 are left out: nothing uses them, and each architecture makes every start slower by milliseconds. */
const ARCHITECTURES: Readonly<Record<string, readonly string[]>> = {
  x64: ['SCMP_ARCH_X86_64', 'SCMP_ARCH_X86'],
  arm64: ['SCMP_ARCH_AARCH64', 'SCMP_ARCH_ARM'],
};

/** The profile for a container that has these capabilities. */
export function seccompProfile(capabilities: readonly string[]): SeccompProfile {
  const allow = (names: readonly string[], args?: SeccompRule['args']): SeccompRule => ({
    names,
    action: 'SCMP_ACT_ALLOW',
    ...(args && { args }),
  });
  const granted = capabilities.flatMap((name) => words(WITH_CAPABILITY[name] ?? ''));
  const names = [...new Set([...ALWAYS.flatMap(words), ...granted])].sort();
  const rules: SeccompRule[] = [
    allow(names),
    ...SAFE_PERSONALITIES.map((value) =>
      allow(['personality'], [{ index: 0, value, op: 'SCMP_CMP_EQ' }]),
    ),
    allow(['socket'], [{ index: 0, value: AF_VSOCK, op: 'SCMP_CMP_NE' }]),
  ];
  if (!capabilities.includes('CAP_SYS_ADMIN')) {
    const noNamespaces = { index: 0, value: CLONE_NEW_ANYTHING, valueTwo: 0 };
    rules.push(allow(['clone'], [{ ...noNamespaces, op: 'SCMP_CMP_MASKED_EQ' }]));
    // clone3 takes its flags by pointer, which a filter cannot read; ENOSYS makes C libraries fall back to clone.
    rules.push({ names: ['clone3'], action: 'SCMP_ACT_ERRNO', errnoRet: ENOSYS });
  }
  return {
    defaultAction: 'SCMP_ACT_ERRNO',
    defaultErrnoRet: EPERM,
    architectures: ARCHITECTURES[process.arch] ?? [],
    syscalls: rules,
  };
}

function words(text: string): string[] {
  return text.split(/\s+/).filter((word) => word !== '');
}
