package runner

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/cloudops-manager/cloudops/engine"
)

// Claimer takes steps in hand, and hears of those that could not be begun.
type Claimer interface {
	Claim(ctx context.Context, step, worker string) (engine.Claim, *engine.Step, error)
	Report(ctx context.Context, step *engine.Step, rep engine.Report) error
}

// Launcher claims steps for a worker and starts a runner for each: the same
// binary, in a session of its own, which goes on when the worker ends.
type Launcher struct {
	Runs     Claimer
	Worker   string // name of this worker
	Self     string // path of the binary
	Root     string // folder for the runners' folders
	API      string
	Settings map[string]string
	Log      *slog.Logger
	// PassOn names the variables of the worker's environment that runners get
	// beside those that they all need; nil for none.
	PassOn func(name string) bool
	// Forget removes the secrets from the folder of a runner that was given up,
	// as soon as nothing that still runs there needs them.
	Forget func(ctx context.Context, dir string) error
}

// HandleStep claims the step and waits for its runner, or returns when ctx
// ends and leaves the runner to itself.
func (l *Launcher) HandleStep(ctx context.Context, step string) error {
	claim, st, err := l.Runs.Claim(ctx, step, l.Worker)
	if err != nil {
		return err
	}
	dir := filepath.Join(l.Root, st.ID+"-"+strconv.Itoa(st.Attempt))
	if err := WriteOrder(dir, l.order(claim)); err != nil {
		return errors.Join(l.fail(ctx, st, err), os.RemoveAll(dir))
	}
	return l.see(ctx, dir)
}

// fail ends a step that was claimed and not begun, such as where the disk is
// full: left alone, it would count as lost, and nobody would learn why.
func (l *Launcher) fail(ctx context.Context, st *engine.Step, why error) error {
	why = fmt.Errorf("worker %s could not begin the step: %w", l.Worker, why)
	l.Log.Error("step not begun", "step", st.ID, "err", why)
	return l.Runs.Report(context.WithoutCancel(ctx), st, engine.Report{Outcome: engine.OutcomeFailed, Reason: why.Error()})
}

func (l *Launcher) order(c engine.Claim) Order {
	return Order{API: l.API, Token: c.Token.Reveal(), StateToken: c.StateToken.Reveal(), Settings: l.Settings}
}

// Adopt sees to the runners of workers before this one, until all of them have
// ended: one that lives is waited for, and where one was killed another goes on.
func (l *Launcher) Adopt(ctx context.Context) error {
	entries, err := os.ReadDir(l.Root)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	var all sync.WaitGroup
	for _, e := range entries {
		all.Go(func() {
			dir := filepath.Join(l.Root, e.Name())
			if err := l.adopt(ctx, dir); err != nil {
				l.Log.Error("runner not taken up again", "dir", dir, "err", err)
			}
		})
	}
	all.Wait()
	return nil
}

// adopt waits for the folder's runner. Where it leaves the folder behind, adopt
// renews what the order says of this worker, for a new version may run from
// elsewhere, and starts a runner.
func (l *Launcher) adopt(ctx context.Context, dir string) error {
	if err := awaitFree(ctx, dir); err != nil || ctx.Err() != nil {
		return err
	}
	o, err := ReadOrder(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil // it has ended well, or never began
	}
	if err != nil {
		return err
	}
	o.API, o.Settings = l.API, l.Settings
	if err := WriteOrder(dir, o); err != nil { // the one that is there mostly serves, too
		l.Log.Warn("order not renewed", "dir", dir, "err", err)
	}
	return l.see(ctx, dir)
}

// The bounds of starting a runner again that ended badly.
const (
	maxStarts  = 8
	firstWait  = 100 * time.Millisecond
	longestRun = time.Minute // after which a runner counts as having run well
)

// see starts a runner in the folder and sees it out. One that is killed is
// followed by another, which goes on where it was. The folder of one that
// cannot be helped stays, for a person to look at: without the secrets that its
// tool was given, but with the order, by which the next worker tries again to
// hand in what is left, such as a state that stands nowhere else.
func (l *Launcher) see(ctx context.Context, dir string) error {
	for starts, wait := 1, firstWait; ; starts, wait = starts+1, 2*wait {
		began := time.Now()
		err := l.runOnce(ctx, dir)
		var exit *exec.ExitError
		if !errors.As(err, &exit) || ctx.Err() != nil {
			return err
		}
		if time.Since(began) > longestRun {
			starts, wait = 1, firstWait
		}
		l.Log.Error("runner ended badly", "dir", dir, "start", starts, "err", err)
		if starts == maxStarts {
			return l.Forget(ctx, dir) // its lease runs out, and the sweep decides
		}
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(wait):
		}
	}
}

// runOnce starts a runner and waits until it, or ctx, ends.
func (l *Launcher) runOnce(ctx context.Context, dir string) error {
	cmd, err := l.start(dir)
	if err != nil {
		return fmt.Errorf("start the runner in %s: %w", dir, err)
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	select {
	case <-ctx.Done():
		l.Log.Info("runner left to itself", "dir", dir, "pid", cmd.Process.Pid)
		return nil
	case err := <-ended:
		return err
	}
}

// start begins the runner with nothing of the worker's environment but what
// finds programs and speaks to proxies. What it prints goes to a file, which
// does not go away with the worker as a pipe would.
func (l *Launcher) start(dir string) (*exec.Cmd, error) {
	out, err := os.OpenFile(filepath.Join(dir, runnerLog), os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return nil, err
	}
	defer out.Close()
	cmd := exec.Command(l.Self, "step", dir)
	cmd.Dir, cmd.Stdout, cmd.Stderr, cmd.Env = dir, out, out, append(passedOn(), l.asked()...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	return cmd, cmd.Start()
}

// asked lists the variables that PassOn names.
func (l *Launcher) asked() (env []string) {
	if l.PassOn == nil {
		return nil
	}
	for _, v := range os.Environ() {
		if name, _, _ := strings.Cut(v, "="); l.PassOn(name) {
			env = append(env, v)
		}
	}
	return env
}

// passedOn lists the variables that a runner keeps of the worker's environment.
func passedOn() []string {
	env := []string{"GOGC=400"} // a runner is short: collecting garbage costs it more than memory
	for _, name := range []string{"PATH", "HOME", "LANG", "TZ", "SSL_CERT_FILE", "SSL_CERT_DIR", "HTTPS_PROXY", "HTTP_PROXY", "NO_PROXY"} {
		if v, ok := os.LookupEnv(name); ok {
			env = append(env, name+"="+v)
		}
	}
	return env
}
