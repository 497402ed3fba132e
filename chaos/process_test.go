package chaos

import (
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
)

// process is a process that a worker has started, or one that it started.
type process struct {
	pid          int
	command, cwd string // the arguments, separated by spaces
}

func (p process) signal(sig syscall.Signal) { _ = syscall.Kill(p.pid, sig) } // gone already is as good
func (p process) kill()                     { p.signal(syscall.SIGKILL) }

// folder is that of a runner's attempt.
func (p process) folder() (string, bool) {
	args := strings.Fields(p.command)
	if len(args) < 3 || args[1] != "step" {
		return "", false
	}
	return args[2], true
}

// on reports whether the process belongs to the node's machine.
func (p process) on(n *node) bool {
	return strings.Contains(p.command, n.dir+"/") || strings.Contains(p.cwd, n.dir+"/")
}

func isAny(process) bool { return true }

func isRunner(p process) bool { _, ok := p.folder(); return ok }

// isTool finds Terraform and plays that change something.
func isTool(p process) bool {
	args := strings.Fields(p.command)
	if len(args) < 2 {
		return false
	}
	if filepath.Base(args[0]) == "terraform" {
		return args[1] == "apply" || args[1] == "plan"
	}
	return slices.ContainsFunc(args[:2], func(a string) bool { return filepath.Base(a) == "ansible-playbook" })
}

// processes lists what runs in the world beside its nodes, as proc(5) has it.
func (w *world) processes(is func(process) bool) (found []process) {
	var nodes []int
	for _, n := range w.nodes {
		nodes = append(nodes, n.pid())
	}
	dirs, err := filepath.Glob("/proc/[0-9]*")
	if err != nil {
		panic(err) // the pattern is in the line above
	}
	for _, dir := range dirs {
		pid, _ := strconv.Atoi(filepath.Base(dir)) // digits, by the pattern
		if slices.Contains(nodes, pid) {
			continue
		}
		command, err := os.ReadFile(filepath.Join(dir, "cmdline"))
		if err != nil || len(command) == 0 {
			continue
		}
		cwd, _ := os.Readlink(filepath.Join(dir, "cwd")) // it may have ended
		p := process{pid, strings.TrimRight(strings.ReplaceAll(string(command), "\x00", " "), " "), cwd}
		if strings.Contains(p.command+" "+p.cwd, w.dir) && is(p) {
			found = append(found, p)
		}
	}
	slices.SortFunc(found, func(a, b process) int { return a.pid - b.pid })
	return found
}

// pick picks one process.
func (w *world) pick(is func(process) bool, f fault) (process, bool) {
	all := w.processes(is)
	if len(all) == 0 {
		return process{}, false
	}
	return all[f.index%len(all)], true
}
