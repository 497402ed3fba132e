package ansible

import (
	"context"
	"os/exec"
	"syscall"
	"time"
)

// playMarker is the variable that all processes of a play carry. It names the
// play's folder.
const playMarker = "CLOUDOPS_PLAY"

// ownSession keeps signals that are meant for us from the process. Ansible
// forks a process for each host; they share a group, so that an interrupt
// reaches them all.
func ownSession(cmd *exec.Cmd) { cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true} }

// watch waits for the process. When the launcher's context ends first, it
// interrupts the whole group, and kills what is left after the grace.
func (p *process) watch() {
	defer close(p.ended)
	exited := make(chan error, 1)
	go func() { exited <- p.Cmd.Wait() }()
	select {
	case p.launcher.failed = <-exited:
		return
	case <-p.launcher.ctx.Done():
	}
	grace, waive := p.launcher.play.graceContext()
	defer waive()
	p.signalGroup(syscall.SIGINT)
	select {
	case p.launcher.failed = <-exited:
	case <-grace.Done():
		p.signalGroup(syscall.SIGKILL)
		p.launcher.failed = <-exited
	}
	p.clear(grace)
}

// graceContext ends when the grace is over or waived.
func (p *play) graceContext() (context.Context, context.CancelFunc) {
	ctx, waive := context.WithTimeout(context.Background(), p.grace)
	go func() {
		select {
		case <-p.hurry:
			waive()
		case <-ctx.Done():
		}
	}()
	return ctx, waive
}

// clear sees off what the process left: newer versions of Ansible put each
// worker into a session of its own, and modules may outlive their worker.
func (p *process) clear(grace context.Context) {
	p.seeOff(grace, syscall.SIGTERM)
	last, stop := context.WithTimeout(context.Background(), 5*time.Second)
	defer stop()
	p.seeOff(last, syscall.SIGKILL)
}

// seeOff sends sig once to each process that is left of the play and waits
// until all are gone, or ctx ends.
func (p *process) seeOff(ctx context.Context, sig syscall.Signal) {
	marker := playMarker + "=" + p.launcher.play.dir
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	told := map[int]bool{}
	for left := marked(marker); len(left) > 0; left = marked(marker) {
		for _, pid := range left {
			if !told[pid] {
				syscall.Kill(pid, sig) // it may have ended by now
			}
			told[pid] = true
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
	}
}

func (p *process) signalGroup(sig syscall.Signal) { syscall.Kill(-p.Cmd.Process.Pid, sig) }
