package ansible

import (
	"context"
	"os/exec"
	"path/filepath"
	"time"

	"github.com/cloudops-manager/cloudops/engine/sandbox"
)

// closeConnections ends the SSH connections that Ansible keeps open for the
// next task: they would outlive the play by a minute.
func (p *play) closeConnections() {
	if p.sockets == "" {
		return
	}
	ctx, stop := context.WithTimeout(context.Background(), 5*time.Second)
	defer stop()
	if p.box.Namespaced() { // where they have ended
		sandbox.RemoveAll(p.sockets)
		return
	}
	sockets, _ := filepath.Glob(filepath.Join(p.sockets, "*"))
	for _, s := range sockets {
		// One that is gone already has nothing to close.
		cmd := exec.CommandContext(ctx, "ssh", "-O", "exit", "-o", "ControlPath="+s, "host")
		cmd.Env = p.env
		cmd.Run()
	}
	sandbox.RemoveAll(p.sockets)
}
