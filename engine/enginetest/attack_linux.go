package enginetest

import (
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// Targets are what a step must not get at. What is empty is not attacked.
type Targets struct {
	Files    map[string]string // to read, by what they are
	Write    map[string]string // folders to write into, by what they are
	Process  int               // somebody else's, whose environment has a secret
	Port     int               // a TCP port on this machine that somebody listens on
	Terminal string            // somebody's, such as an administrator's
	Abstract string            // an abstract socket that somebody listens on
	Apart    bool              // whether it sees nothing of others, as in namespaces of its own
	Kernel   bool              // its system calls, which changes the machine where nothing is in the way
	FileSize int64             // more than a file may have
	Forks    int               // more processes than a step may have
	Memory   int               // more bytes than a process may have
}

// AttackVariable has Targets as JSON in the environment of a test binary that
// is to attack them.
const AttackVariable = "CLOUDOPS_TEST_ATTACK"

// Attack is for a TestMain: where this process was started for it, it attacks,
// prints a verdict a line, "refused NAME: why" or "DONE NAME", and ends.
func Attack() {
	text, wanted := os.LookupEnv(AttackVariable)
	if !wanted {
		return
	}
	var t Targets
	if err := json.Unmarshal([]byte(text), &t); err != nil {
		fmt.Println("DONE nothing:", err)
		os.Exit(1)
	}
	t.attack(func(name string, err error) {
		if err != nil {
			fmt.Printf("refused %s: %s\n", name, err)
			return
		}
		fmt.Println("DONE", name)
	})
	fmt.Println("attacked")
	os.Exit(0)
}

func (t Targets) attack(tell func(name string, err error)) {
	for what, path := range t.Files {
		_, err := os.ReadFile(path)
		tell("read "+what, err)
		_, err = os.ReadDir(filepath.Dir(path))
		tell("list the folder of "+what, err)
		tell("link to "+what, os.Link(path, "stolen"))
		if t.Apart { // Landlock alone keeps what is in a file, and not its mode
			tell("change the mode of "+what, os.Chmod(path, 0o666))
		}
	}
	if t.Apart {
		tell("use files that were left open", leftOpen())
	}
	for what, dir := range t.Write {
		tell("write to "+what, os.WriteFile(filepath.Join(dir, "attack"), []byte("x"), 0o600))
	}
	if t.Terminal != "" {
		_, err := os.OpenFile(t.Terminal, os.O_RDWR|unix.O_NOCTTY, 0)
		tell("read what is typed at a terminal", err)
	}
	if t.Process != 0 {
		t.attackProcess(tell)
	}
	t.attackNet(tell)
	if t.Kernel {
		attackKernel(tell)
	}
	t.attackLimits(tell)
}

// leftOpen looks for files that this process has not opened itself, as Go does
// those in /sys.
func leftOpen() error {
	for fd := 3; fd < 256; fd++ {
		var stat unix.Stat_t
		path, _ := os.Readlink("/proc/self/fd/" + strconv.Itoa(fd)) // "" is no path
		if unix.Fstat(fd, &stat) == nil && stat.Mode&unix.S_IFMT == unix.S_IFREG && !strings.HasPrefix(path, "/sys/") {
			return nil
		}
	}
	return errors.New("there is none")
}

func (t Targets) attackProcess(tell func(name string, err error)) {
	dir := "/proc/" + strconv.Itoa(t.Process) + "/"
	for _, name := range []string{"environ", "mem", "maps", "cwd/secret", "root/etc/passwd"} {
		f, err := os.Open(dir + name)
		if err == nil {
			_, err = f.Read(make([]byte, 1))
		}
		tell("read "+name+" of a process", err)
	}
	tell("trace a process", unix.PtraceAttach(t.Process))
	local := []unix.Iovec{{Base: new(byte), Len: 1}}
	_, err := unix.ProcessVMReadv(t.Process, local, []unix.RemoteIovec{{Base: 0x400000, Len: 1}}, 0)
	tell("read the memory of a process", only(err, unix.EPERM, unix.ESRCH))
	tell("limit a process", unix.Prlimit(t.Process, unix.RLIMIT_CORE, &unix.Rlimit{}, nil))
	tell("end a process", syscall.Kill(t.Process, syscall.SIGTERM))
}

func (t Targets) attackNet(tell func(name string, err error)) {
	_, err := net.DialTimeout("tcp", "169.254.169.254:80", time.Second)
	tell("ask the metadata of the machine", only(err, unix.EACCES, unix.EPERM))
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM, 262) // IPPROTO_MPTCP
	if err == nil {
		err = unix.Connect(fd, &unix.SockaddrInet4{Port: 80, Addr: [4]byte{127, 0, 0, 1}})
	}
	tell("connect by Multipath TCP", only(err, unix.EPROTONOSUPPORT))
	_, err = unix.Socket(unix.AF_VSOCK, unix.SOCK_STREAM, 0)
	tell("make a socket to the hypervisor", only(err, unix.EAFNOSUPPORT))
	_, err = net.Listen("tcp4", "127.0.0.1:0")
	tell("listen", only(err, unix.EACCES))
	if t.Port != 0 {
		_, err = net.Dial("tcp", "127.0.0.1:"+strconv.Itoa(t.Port))
		tell("connect to another port", only(err, unix.EACCES))
		tell("connect to another port by sending", only(fastOpen(t.Port), unix.EOPNOTSUPP))
	}
	if t.Abstract != "" {
		_, err = net.Dial("unix", "@"+t.Abstract)
		tell("connect to an abstract socket", only(err, unix.EPERM))
	}
}

// fastOpen sends to the port of this machine in the way that connects, too.
func fastOpen(port int) error {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM, 0)
	if err != nil {
		return err
	}
	defer unix.Close(fd)
	return unix.Sendto(fd, []byte("x"), unix.MSG_FASTOPEN, &unix.SockaddrInet4{Port: port, Addr: [4]byte{127, 0, 0, 1}})
}

// only takes other errors than those that a wall gives for a success: then
// nothing was in the way but chance.
func only(err error, walls ...error) error {
	for _, wall := range walls {
		if errors.Is(err, wall) {
			return err
		}
	}
	return nil
}

func attackKernel(tell func(name string, err error)) {
	_, _, errno := unix.Syscall(unix.SYS_IO_URING_SETUP, 1, 0, 0)
	tell("set up io_uring", only(errno, unix.ENOSYS))
	_, err := unix.KeyctlGetKeyringID(unix.KEY_SPEC_USER_KEYRING, true)
	tell("open the keyring of the user", only(err, unix.ENOSYS))
	for name, call := range map[string]uintptr{"bpf": unix.SYS_BPF, "userfaultfd": unix.SYS_USERFAULTFD, "perf_event_open": unix.SYS_PERF_EVENT_OPEN} {
		_, _, errno := unix.Syscall(call, 0, 0, 0)
		tell("call "+name, only(errno, unix.ENOSYS))
	}
	tell("leave for a user namespace", only(unix.Unshare(unix.CLONE_NEWUSER), unix.EPERM))
	cloned := exec.Command("/bin/true")
	cloned.SysProcAttr = &syscall.SysProcAttr{Cloneflags: unix.CLONE_NEWUSER | unix.CLONE_NEWNET}
	tell("start something in a user namespace", only(cloned.Run(), unix.EPERM))
	_, err = unix.Socket(unix.AF_INET, unix.SOCK_SEQPACKET, 0)
	tell("make a socket of another kind", only(err, unix.ESOCKTNOSUPPORT))
	tell("put another protocol below a connection", only(ulp(), unix.ENOPROTOOPT))
	tell("mount a file system", unix.Mount("none", "/tmp", "tmpfs", 0, ""))
	status, err := os.ReadFile("/proc/self/status")
	if err == nil && powerless(string(status)) {
		err = errors.New("it has no powers and gets none")
	}
	tell("be root", err)
}

func powerless(status string) bool {
	for _, line := range []string{"CapInh:\t0000000000000000", "CapPrm:\t0000000000000000", "CapEff:\t0000000000000000", "NoNewPrivs:\t1"} {
		if !strings.Contains(status, line+"\n") {
			return false
		}
	}
	return os.Getuid() != 0 || strings.Contains(status, "CapBnd:\t0000000000000000\n")
}

// ulp has a TCP socket speak another protocol than TCP, such as SMC, from then on.
func ulp() error {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM, 0)
	if err != nil {
		return err
	}
	defer unix.Close(fd)
	return unix.SetsockoptString(fd, unix.SOL_TCP, unix.TCP_ULP, "smc")
}

func (t Targets) attackLimits(tell func(name string, err error)) {
	if t.FileSize > 0 {
		signal.Ignore(syscall.SIGXFSZ)
		f, err := os.Create("huge")
		if err == nil {
			_, err = f.WriteAt([]byte("x"), t.FileSize)
			os.Remove("huge")
		}
		tell("write a huge file", only(err, unix.EFBIG))
	}
	if t.Memory > 0 {
		_, err := unix.Mmap(-1, 0, t.Memory, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_PRIVATE|unix.MAP_ANON)
		tell("take all memory", only(err, unix.ENOMEM))
	}
	if t.Forks > 0 {
		tell("fork without end", only(fork(t.Forks), unix.EAGAIN))
	}
}

// fork starts up to n processes, and sees them off.
func fork(n int) (err error) {
	var all []*exec.Cmd
	for len(all) < n && err == nil {
		cmd := exec.Command("/bin/sleep", "60")
		if err = cmd.Start(); err == nil {
			all = append(all, cmd)
		}
	}
	for _, cmd := range all {
		_ = cmd.Process.Kill()
		_ = cmd.Wait() // of what was killed
	}
	return err
}
