package shim

import (
	"fmt"
	"slices"
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
	secondArg  = 24
	thirdArg   = 32
	fourthArg  = 40
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
	for _, rules := range [][]bpf.Instruction{refusedCalls(), namespaceCalls(), socketCalls(), on(unix.SYS_PRLIMIT64, only(firstArg, unix.EPERM, 0))} {
		program = append(program, rules...)
	}
	return bpf.Assemble(append(program, allow))
}

// refusedCalls are those that no step needs: ways around the filter, keyrings,
// which all steps of a user share, and what has let programs into kernels before.
func refusedCalls() (program []bpf.Instruction) {
	for _, call := range []uint32{
		unix.SYS_IO_URING_SETUP, unix.SYS_ADD_KEY, unix.SYS_REQUEST_KEY, unix.SYS_KEYCTL,
		unix.SYS_BPF, unix.SYS_USERFAULTFD, unix.SYS_PERF_EVENT_OPEN,
	} {
		program = append(program, on(call, []bpf.Instruction{refuse(unix.ENOSYS)})...)
	}
	return program
}

// namespaces are the flags of clone(2) that give a child namespaces of its own:
// in a user namespace it has all powers, over much of the kernel.
const namespaces = unix.CLONE_NEWUSER | unix.CLONE_NEWNS | unix.CLONE_NEWPID | unix.CLONE_NEWNET | unix.CLONE_NEWIPC | unix.CLONE_NEWUTS | unix.CLONE_NEWCGROUP

func namespaceCalls() []bpf.Instruction {
	return slices.Concat(
		on(unix.SYS_CLONE3, []bpf.Instruction{refuse(unix.ENOSYS)}), // whose flags a filter cannot see; libraries then take clone
		on(unix.SYS_CLONE, without(firstArg, unix.EPERM, namespaces)),
		on(unix.SYS_UNSHARE, without(firstArg, unix.EPERM, namespaces|unix.CLONE_NEWTIME)),
		on(unix.SYS_SETNS, []bpf.Instruction{refuse(unix.EPERM)}),
	)
}

// socketCalls let sockets through that Landlock knows, and refuse what connects
// one without asking it: data that opens a connection, and other protocols below
// TCP's.
func socketCalls() []bpf.Instruction {
	family := oneOf(firstArg, unix.EAFNOSUPPORT, unix.AF_UNIX, unix.AF_INET, unix.AF_INET6, unix.AF_NETLINK)
	internet := []bpf.Instruction{bpf.LoadAbsolute{Off: firstArg, Size: 4},
		bpf.JumpIf{Cond: bpf.JumpEqual, Val: unix.AF_INET, SkipTrue: 2},
		bpf.JumpIf{Cond: bpf.JumpEqual, Val: unix.AF_INET6, SkipTrue: 1}, allow}
	kind := []bpf.Instruction{bpf.LoadAbsolute{Off: secondArg, Size: 4}, bpf.ALUOpConstant{Op: bpf.ALUOpAnd, Val: 0xf}, // without its flags
		bpf.JumpIf{Cond: bpf.JumpEqual, Val: unix.SOCK_STREAM, SkipTrue: 2},
		bpf.JumpIf{Cond: bpf.JumpEqual, Val: unix.SOCK_DGRAM, SkipTrue: 1}, refuse(unix.ESOCKTNOSUPPORT)}
	return slices.Concat(
		on(unix.SYS_SOCKET, slices.Concat(family, internet, kind, only(thirdArg, unix.EPROTONOSUPPORT, 0, unix.IPPROTO_TCP, unix.IPPROTO_UDP, unix.IPPROTO_ICMP, unix.IPPROTO_ICMPV6))),
		on(unix.SYS_SENDTO, without(fourthArg, unix.EOPNOTSUPP, unix.MSG_FASTOPEN)),
		on(unix.SYS_SENDMSG, without(thirdArg, unix.EOPNOTSUPP, unix.MSG_FASTOPEN)),
		on(unix.SYS_SENDMMSG, without(fourthArg, unix.EOPNOTSUPP, unix.MSG_FASTOPEN)),
		on(unix.SYS_SETSOCKOPT, []bpf.Instruction{
			bpf.LoadAbsolute{Off: secondArg, Size: 4}, bpf.JumpIf{Cond: bpf.JumpNotEqual, Val: unix.SOL_TCP, SkipTrue: 3},
			bpf.LoadAbsolute{Off: thirdArg, Size: 4}, bpf.JumpIf{Cond: bpf.JumpNotEqual, Val: unix.TCP_ULP, SkipTrue: 1}, refuse(unix.ENOPROTOOPT), allow}),
	)
}

var allow = bpf.RetConstant{Val: unix.SECCOMP_RET_ALLOW}

func refuse(with syscall.Errno) bpf.Instruction {
	return bpf.RetConstant{Val: unix.SECCOMP_RET_ERRNO | uint32(with)} // #nosec G115 -- error numbers are small
}

// on has the call judged by what ends with a verdict.
func on(call uint32, verdict []bpf.Instruction) []bpf.Instruction {
	return append([]bpf.Instruction{bpf.JumpIf{Cond: bpf.JumpNotEqual, Val: call, SkipTrue: uint8(len(verdict))}}, verdict...) // #nosec G115 -- at most some 20
}

// only allows a call whose argument is one of the values.
func only(arg uint32, with syscall.Errno, values ...uint32) []bpf.Instruction {
	return append(oneOf(arg, with, values...), allow)
}

// oneOf refuses a call whose argument is none of the values.
func oneOf(arg uint32, with syscall.Errno, values ...uint32) []bpf.Instruction {
	program := []bpf.Instruction{bpf.LoadAbsolute{Off: arg, Size: 4}}
	for i, v := range values {
		program = append(program, bpf.JumpIf{Cond: bpf.JumpEqual, Val: v, SkipTrue: uint8(len(values) - i)}) // #nosec G115 -- a handful of values
	}
	return append(program, refuse(with))
}

// without allows a call whose argument has none of the flags.
func without(arg uint32, with syscall.Errno, flags uint32) []bpf.Instruction {
	return []bpf.Instruction{bpf.LoadAbsolute{Off: arg, Size: 4}, bpf.JumpIf{Cond: bpf.JumpBitsSet, Val: flags, SkipFalse: 1}, refuse(with), allow}
}

// loadFilter puts the program in force for all threads.
func loadFilter(program []bpf.RawInstruction) error {
	filters := make([]unix.SockFilter, len(program))
	for i, in := range program {
		filters[i] = unix.SockFilter{Code: in.Op, Jt: in.Jt, Jf: in.Jf, K: in.K}
	}
	prog := unix.SockFprog{Len: uint16(len(filters)), Filter: &filters[0]}                                                                      // #nosec G115 -- some 90 instructions
	_, _, errno := unix.Syscall(unix.SYS_SECCOMP, unix.SECCOMP_SET_MODE_FILTER, unix.SECCOMP_FILTER_FLAG_TSYNC, uintptr(unsafe.Pointer(&prog))) // #nosec G103 -- how a program is handed to the kernel
	if errno != 0 {
		return errno
	}
	return nil
}
