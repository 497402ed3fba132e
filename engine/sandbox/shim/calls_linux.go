package shim

import (
	"fmt"
	"syscall"
	"unsafe"

	"golang.org/x/net/bpf"
	"golang.org/x/sys/unix"
)

// abi is how the system calls of an architecture are told from others.
type abi struct {
	audit uint32 // AUDIT_ARCH_*
	x32   bool   // has a second set of calls, from x32Calls on
}

const x32Calls = 0x40000000

var abis = map[string]abi{
	"amd64": {audit: unix.AUDIT_ARCH_X86_64, x32: true},
	"arm64": {audit: unix.AUDIT_ARCH_AARCH64},
}

// The offsets in what a filter is shown of a call, struct seccomp_data: the
// number, the architecture, and the low halves of its arguments on a machine
// that puts these first. Source: seccomp(2).
const (
	callNumber = 0
	callArch   = 4
	firstArg   = 16
	thirdArg   = 32
)

// callFilter is the program that judges each system call.
func callFilter(goarch string) ([]bpf.RawInstruction, error) {
	a, known := abis[goarch]
	if !known {
		return nil, fmt.Errorf("they are not known for %s", goarch)
	}
	program := []bpf.Instruction{
		bpf.LoadAbsolute{Off: callArch, Size: 4},
		bpf.JumpIf{Cond: bpf.JumpEqual, Val: a.audit, SkipTrue: 1},
		refuse(unix.ENOSYS),
		bpf.LoadAbsolute{Off: callNumber, Size: 4},
	}
	if a.x32 {
		program = append(program, bpf.JumpIf{Cond: bpf.JumpLessThan, Val: x32Calls, SkipTrue: 1}, refuse(unix.ENOSYS))
	}
	for _, call := range []uint32{unix.SYS_IO_URING_SETUP, unix.SYS_ADD_KEY, unix.SYS_REQUEST_KEY, unix.SYS_KEYCTL} {
		program = append(program, bpf.JumpIf{Cond: bpf.JumpNotEqual, Val: call, SkipTrue: 1}, refuse(unix.ENOSYS))
	}
	program = append(program, bpf.JumpIf{Cond: bpf.JumpEqual, Val: unix.SYS_SOCKET, SkipTrue: 1}, allow)
	program = append(program, oneOf(firstArg, unix.EAFNOSUPPORT, unix.AF_UNIX, unix.AF_INET, unix.AF_INET6, unix.AF_NETLINK)...)
	program = append(program, bpf.LoadAbsolute{Off: firstArg, Size: 4},
		bpf.JumpIf{Cond: bpf.JumpEqual, Val: unix.AF_INET, SkipTrue: 2},
		bpf.JumpIf{Cond: bpf.JumpEqual, Val: unix.AF_INET6, SkipTrue: 1}, allow)
	program = append(program, oneOf(thirdArg, unix.EPROTONOSUPPORT, 0, unix.IPPROTO_TCP, unix.IPPROTO_UDP, unix.IPPROTO_ICMP, unix.IPPROTO_ICMPV6)...)
	return bpf.Assemble(append(program, allow))
}

var allow = bpf.RetConstant{Val: unix.SECCOMP_RET_ALLOW}

func refuse(with syscall.Errno) bpf.Instruction {
	return bpf.RetConstant{Val: unix.SECCOMP_RET_ERRNO | uint32(with)} // #nosec G115 -- error numbers are small
}

// oneOf refuses a call whose argument is none of the values.
func oneOf(arg uint32, with syscall.Errno, values ...uint32) []bpf.Instruction {
	program := []bpf.Instruction{bpf.LoadAbsolute{Off: arg, Size: 4}}
	for i, v := range values {
		program = append(program, bpf.JumpIf{Cond: bpf.JumpEqual, Val: v, SkipTrue: uint8(len(values) - i)}) // #nosec G115 -- a handful of values
	}
	return append(program, refuse(with))
}

// loadFilter puts the program in force for all threads.
func loadFilter(program []bpf.RawInstruction) error {
	filters := make([]unix.SockFilter, len(program))
	for i, in := range program {
		filters[i] = unix.SockFilter{Code: in.Op, Jt: in.Jt, Jf: in.Jf, K: in.K}
	}
	prog := unix.SockFprog{Len: uint16(len(filters)), Filter: &filters[0]}                                                                      // #nosec G115 -- some 30 instructions
	_, _, errno := unix.Syscall(unix.SYS_SECCOMP, unix.SECCOMP_SET_MODE_FILTER, unix.SECCOMP_FILTER_FLAG_TSYNC, uintptr(unsafe.Pointer(&prog))) // #nosec G103 -- how a program is handed to the kernel
	if errno != 0 {
		return errno
	}
	return nil
}
