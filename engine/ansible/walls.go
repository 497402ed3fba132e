package ansible

import (
	"maps"
	"net"
	"path/filepath"
	"slices"
	"strconv"

	"github.com/cloudops-manager/cloudops/engine/sandbox"
)

// walls are those around Ansible, SSH, and modules that run on this machine.
func (p *play) walls() sandbox.Walls {
	return p.box.Walls(sandbox.Needs{
		Read: append(append(sandbox.Programs(), p.job.AccessDirs()...), installation(p.program), "/sys"),
		// Python's processes share semaphores, and terminals make SSH ask for nothing.
		Write:   []string{p.own(), p.sockets, "/dev/shm", "/dev/pts", "/dev/ptmx"},
		Connect: slices.Concat(sandbox.Ports(), p.ports(), sandbox.PortsOfStack(slices.Collect(maps.Values(p.job.Env)))),
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
	return filepath.Dir(filepath.Dir(program))
}

// ports are those at which the hosts of the inventory are reached.
func (p *play) ports() (ports []int) {
	for _, e := range endpoints(p.job.Ansible.Inventory, 0) {
		if _, text, err := net.SplitHostPort(e.address); err == nil {
			if port, err := strconv.Atoi(text); err == nil {
				ports = append(ports, port)
			}
		}
	}
	return ports
}
