package ansible

import (
	"bytes"
	"context"
	"io"
	"os/exec"
	"path/filepath"
	"slices"

	"github.com/apenella/go-ansible/v2/pkg/execute"
	ansexec "github.com/apenella/go-ansible/v2/pkg/execute/exec"
	"github.com/apenella/go-ansible/v2/pkg/execute/result"
	"github.com/apenella/go-ansible/v2/pkg/playbook"

	"github.com/cloudops-manager/cloudops/engine/sandbox"
)

// playOptions are what differs between two runs of a play.
type playOptions struct{ check bool }

// command is apart from execute so that a test can look at every flag without
// starting a process.
func (p *play) command(o playOptions) *playbook.AnsiblePlaybookCmd {
	return playbook.NewAnsiblePlaybookCmd(
		playbook.WithBinary(p.program),
		playbook.WithPlaybooks(p.playbook),
		playbook.WithPlaybookOptions(&playbook.AnsiblePlaybookOptions{
			Inventory:     p.inside(inventoryFile),
			ExtraVarsFile: []string{"@" + p.inside(varsFile)},
			Check:         o.check,
			Diff:          true,
		}),
	)
}

// execute runs the playbook, copies what Ansible says to log, and returns how
// the process ended.
func (p *play) execute(ctx context.Context, o playOptions, log io.Writer) error {
	l := &launcher{play: p, ctx: ctx}
	// The library gets a context without an end: it would leave the process
	// before it has ended. The launcher knows the real one.
	err := execute.NewDefaultExecute(
		execute.WithCmd(p.command(o)),
		execute.WithExecutable(l),
		execute.WithOutput(verbatim{}),
		execute.WithWrite(log),
		execute.WithWriteError(log),
	).Execute(context.WithoutCancel(ctx))
	if l.started != nil {
		<-l.started.ended // the library leaves early where log cannot be written
	}
	// The library's errors repeat the command and cannot be unwrapped; the
	// process's own error says no more than it should.
	if l.failed != nil {
		return l.failed
	}
	return err
}

// verbatim passes output on as it comes.
type verbatim struct{}

// Print implements result.ResultsOutputer.
func (verbatim) Print(_ context.Context, from io.Reader, to io.Writer, _ ...result.OptionsFunc) error {
	_, err := io.Copy(to, from)
	return err
}

// launcher starts processes for go-ansible on our terms.
type launcher struct {
	play    *play
	ctx     context.Context // its end interrupts the process
	started *process
	failed  error // of the process it started
}

// Command implements execute.Executabler.
func (l *launcher) Command(name string, arg ...string) ansexec.Cmder {
	return l.CommandContext(l.ctx, name, arg...)
}

// CommandContext implements execute.Executabler.
func (l *launcher) CommandContext(_ context.Context, name string, arg ...string) ansexec.Cmder {
	cmd := exec.Command(l.play.self, arg...)
	cmd.Dir = filepath.Dir(l.play.playbook)
	variable, terms, err := sandbox.Spec{
		Program: name, Output: l.play.path(outputFile), PidFile: l.play.path(pidFile), Hold: append(l.play.box.Hold(), l.play.path(aliveLock)),
		Walls: l.play.walls(),
	}.Variable()
	cmd.Env, cmd.Err = append(slices.Clone(l.play.env), variable+"="+terms), err
	ownSession(cmd)
	return &process{Cmd: cmd, launcher: l, ended: make(chan struct{})}
}

// process writes to a file, which does not break as a pipe would when its
// reader dies. It is a type of our own because go-ansible hands its stdin to
// any *exec.Cmd it is given.
type process struct {
	*exec.Cmd
	launcher *launcher
	ended    chan struct{}
}

// StdoutPipe gives what the process writes, errors included, until it ends.
func (p *process) StdoutPipe() (io.ReadCloser, error) {
	r, w := io.Pipe()
	go func() { w.CloseWithError(sandbox.Follow(p.launcher.play.path(outputFile), p.ended, w)) }()
	return r, nil
}

// StderrPipe gives nothing: errors stand in the output, where they belong.
func (p *process) StderrPipe() (io.ReadCloser, error) {
	return io.NopCloser(bytes.NewReader(nil)), nil
}

// Start starts the process. It ends when the launcher's context does.
func (p *process) Start() error {
	if err := p.Cmd.Start(); err != nil {
		p.launcher.failed = err
		close(p.ended)
		return err
	}
	p.launcher.started = p
	go p.watch()
	return nil
}

// Wait waits for the process to end. It returns no error that the library
// does not expect; the launcher has all of them.
func (p *process) Wait() error {
	<-p.ended
	if exit, ok := p.launcher.failed.(*exec.ExitError); ok {
		return exit
	}
	return nil
}
