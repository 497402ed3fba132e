package ansible

import (
	"maps"
	"path/filepath"
	"slices"

	"github.com/cloudops-manager/cloudops/engine/sandbox"
)

// walls are those around Ansible, SSH, and modules that run on this machine.
func (p *play) walls() sandbox.Walls {
	return p.box.Walls(sandbox.Needs{
		Read:    append(append(sandbox.Programs(), p.job.AccessDirs()...), installation(p.program), "/sys"),
		Write:   []string{p.own(), p.sockets, "/dev/shm"}, // where Python's processes share semaphores
		Connect: append(sandbox.Ports(), p.box.PortsOf(slices.AppendSeq(p.hosts(), maps.Values(p.job.Env)))...),
		Tmp:     p.inside("tmp"),
	})
}

// installation is the folder that Ansible, and what it imports, lies in: of a
// virtual environment, or of the system.
func installation(program string) string {
	if program == "" { // of a play that was taken over, which starts nothing
		return ""
	}
	if real, err := filepath.EvalSymlinks(program); err == nil {
		program = real
	}
	dir := filepath.Dir(program)
	switch {
	case dir == "/":
		return program
	case filepath.Base(dir) == "bin" && filepath.Dir(dir) != "/":
		return filepath.Dir(dir)
	}
	return dir
}

// hosts are where those of the inventory are reached, as URLs.
func (p *play) hosts() (urls []string) {
	for _, e := range endpoints(p.job.Ansible.Inventory, 0) {
		urls = append(urls, "//"+e.address)
	}
	return urls
}
