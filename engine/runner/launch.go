package runner

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"syscall"

	"github.com/cloudops-manager/cloudops/engine"
)

// Order is what a worker leaves for the runner that it starts: a file that only
// its owner can read, in the folder that the runner is started with.
type Order struct {
	API        string            `json:"api"` // base URL of the server
	Token      string            `json:"token"`
	StateToken string            `json:"state_token"`
	Settings   map[string]string `json:"settings"` // flags of the worker that matter to the runner
}

const orderFile = "order.json"

// ReadOrder reads the order in dir.
func ReadOrder(dir string) (Order, error) {
	var o Order
	b, err := os.ReadFile(filepath.Join(dir, orderFile))
	if err != nil {
		return o, err
	}
	return o, json.Unmarshal(b, &o)
}

// Claimer takes steps in hand.
type Claimer interface {
	Claim(ctx context.Context, step, worker string) (engine.Claim, *engine.Step, error)
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
}

// HandleStep claims the step and waits for its runner, or returns when ctx
// ends and leaves the runner to itself.
func (l *Launcher) HandleStep(ctx context.Context, step string) error {
	claim, st, err := l.Runs.Claim(ctx, step, l.Worker)
	if err != nil {
		return err
	}
	dir := filepath.Join(l.Root, st.ID+"-"+strconv.Itoa(st.Attempt))
	if err := l.write(dir, claim); err != nil {
		return fmt.Errorf("order for step %s: %w", st.ID, err)
	}
	cmd, err := l.start(dir)
	if err != nil {
		return fmt.Errorf("start the runner of step %s: %w", st.ID, err)
	}
	return l.wait(ctx, cmd, dir, st)
}

func (l *Launcher) write(dir string, c engine.Claim) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	b, err := json.Marshal(Order{API: l.API, Token: c.Token.Reveal(), StateToken: c.StateToken.Reveal(), Settings: l.Settings})
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(dir, orderFile), b, 0o600)
}

// start begins the runner with nothing of the worker's environment but what
// finds programs and speaks to proxies. What it prints goes to a file, which
// does not go away with the worker as a pipe would.
func (l *Launcher) start(dir string) (*exec.Cmd, error) {
	out, err := os.OpenFile(filepath.Join(dir, "runner.log"), os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return nil, err
	}
	defer out.Close()
	cmd := exec.Command(l.Self, "step", dir)
	cmd.Dir, cmd.Stdout, cmd.Stderr, cmd.Env = dir, out, out, passedOn()
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	return cmd, cmd.Start()
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

// wait sees the runner out. Its folder stays where it ended badly.
func (l *Launcher) wait(ctx context.Context, cmd *exec.Cmd, dir string, st *engine.Step) error {
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	select {
	case <-ctx.Done():
		l.Log.Info("runner left to itself", "step", st.ID, "pid", cmd.Process.Pid)
		return nil
	case err := <-ended:
		var exit *exec.ExitError
		if errors.As(err, &exit) {
			// Its lease runs out and the sweep decides what becomes of the step.
			l.Log.Error("runner ended badly", "step", st.ID, "attempt", st.Attempt, "err", err, "log", filepath.Join(dir, "runner.log"))
			return nil
		}
		return errors.Join(err, os.RemoveAll(dir))
	}
}
