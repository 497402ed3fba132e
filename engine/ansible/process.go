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

// watch waits for the process.
func (p *process) watch() {
	defer close(p.ended)
	exited := make(chan struct{})
	go func() {
		p.launcher.failed = p.Cmd.Wait()
		close(exited)
	}()
	p.launcher.play.guard(p.launcher.ctx, p.Cmd.Process.Pid, exited)
}

// guard waits for the end of the play's process. When ctx ends first, it
// interrupts the whole group, and kills what is left after the grace.
func (p *play) guard(ctx context.Context, pid int, exited <-chan struct{}) {
	select {
	case <-exited:
		return
	case <-ctx.Done():
	}
	grace, waive := p.graceContext()
	defer waive()
	signalGroup(pid, syscall.SIGINT)
	select {
	case <-exited:
	case <-grace.Done():
		signalGroup(pid, syscall.SIGKILL)
		<-exited
	}
	p.clear(grace)
}

// graceContext ends when the grace is over or waived.
func (p *play) graceContext() (context.Context, context.CancelFunc) {
	ctx, waive := context.WithTimeout(context.Background(), p.job.Grace)
	go func() {
		select {
		case <-p.job.Hurry:
			waive()
		case <-ctx.Done():
		}
	}()
	return ctx, waive
}

// clear sees off what the process left: newer versions of Ansible put each
// worker into a session of its own, and modules may outlive their worker.
func (p *play) clear(grace context.Context) {
	p.seeOff(grace, syscall.SIGTERM)
	last, stop := context.WithTimeout(context.Background(), 5*time.Second)
	defer stop()
	p.seeOff(last, syscall.SIGKILL)
}

// seeOff sends sig once to each process that is left of the play and waits
// until all are gone, or ctx ends.
func (p *play) seeOff(ctx context.Context, sig syscall.Signal) {
	marker := playMarker + "=" + p.own()
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

func signalGroup(pid int, sig syscall.Signal) { syscall.Kill(-pid, sig) }
