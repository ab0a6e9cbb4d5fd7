#include "formats/hdf5/system_calls.h"

#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cstddef>
#include <cstdint>
#include <iterator>

namespace ltz::formats {
namespace {

#if defined(__x86_64__)
constexpr std::uint32_t kMachine = AUDIT_ARCH_X86_64;
#elif defined(__aarch64__)
constexpr std::uint32_t kMachine = AUDIT_ARCH_AARCH64;
#else
constexpr std::uint32_t kMachine = 0;  // none: the calls' numbers are not known
#endif

constexpr std::uint32_t kAllowed[] = {
    SYS_write,        SYS_close,       SYS_brk,         SYS_mmap,         SYS_munmap,
    SYS_mremap,       SYS_mprotect,    SYS_madvise,     SYS_futex,        SYS_clock_gettime,
    SYS_getrandom,    SYS_getpid,      SYS_gettid,      SYS_rt_sigaction, SYS_rt_sigprocmask,
    SYS_rt_sigreturn, SYS_sched_yield, SYS_sigaltstack, SYS_exit,         SYS_exit_group,
};

// Instructions of the kernel's filters (seccomp(2)).
constexpr sock_filter load(std::size_t offset) {
  return BPF_STMT(BPF_LD | BPF_W | BPF_ABS, static_cast<std::uint32_t>(offset));
}
constexpr sock_filter skip_unless_equal(std::uint32_t value, std::uint8_t instructions) {
  return BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, value, 0, instructions);
}
constexpr sock_filter answer(std::uint32_t verdict) {
  return BPF_STMT(BPF_RET | BPF_K, verdict);
}
constexpr sock_filter kAllow = answer(SECCOMP_RET_ALLOW);
constexpr sock_filter kRefuse = answer(SECCOMP_RET_ERRNO | EPERM);

}  // namespace

bool allow_only_computing() {
  // The first argument's lower half: no process has a larger number.
  constexpr std::size_t kFirstArgument = offsetof(seccomp_data, args);
  sock_filter filter[8 + 2 * std::size(kAllowed)];
  std::size_t size = 0;
  const auto add = [&](sock_filter instruction) { filter[size++] = instruction; };
  add(load(offsetof(seccomp_data, arch)));
  add(skip_unless_equal(kMachine, 1 + 2 * std::size(kAllowed) + 4));
  add(load(offsetof(seccomp_data, nr)));
  for (const std::uint32_t call : kAllowed) {
    add(skip_unless_equal(call, 1));
    add(kAllow);
  }
  // abort() signals itself.
  add(skip_unless_equal(SYS_tgkill, 3));
  add(load(kFirstArgument));
  add(skip_unless_equal(static_cast<std::uint32_t>(getpid()), 1));
  add(kAllow);
  add(kRefuse);
  const sock_fprog program{static_cast<unsigned short>(size), filter};
  return kMachine != 0 && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
         prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0;
}

}  // namespace ltz::formats
