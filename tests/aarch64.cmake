# Cross-compiles for 64-bit ARM under Linux, with Debian's g++-aarch64-linux-gnu; its programs run under qemu-aarch64 where that
# is installed (qemu-user).
set(CMAKE_SYSTEM_NAME Linux)
set(CMAKE_SYSTEM_PROCESSOR aarch64)
set(CMAKE_C_COMPILER aarch64-linux-gnu-gcc)
set(CMAKE_CXX_COMPILER aarch64-linux-gnu-g++)
find_program(LTZ_QEMU_AARCH64 qemu-aarch64)
if(LTZ_QEMU_AARCH64)
  set(CMAKE_CROSSCOMPILING_EMULATOR ${LTZ_QEMU_AARCH64} -L /usr/aarch64-linux-gnu)
endif()
