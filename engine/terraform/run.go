package terraform

import (
	"context"
	"errors"
	"maps"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"github.com/hashicorp/terraform-exec/tfexec"

	"github.com/cloudops-manager/cloudops/engine"
	"github.com/cloudops-manager/cloudops/engine/sandbox"
)

// run starts one command and goes along with it: what it says is passed on
// line by line, and when ctx ends it is interrupted, once, and killed after
// the job's grace. Terraform-exec itself gets a context without an end, for
// its own interruption would come on top of ours, and a second one makes
// Terraform drop what it is doing.
func (r *session) run(ctx context.Context, command string, call func(*tfexec.Terraform) error) error {
	return r.runIn(ctx, command, r.environment(), call)
}

// runIn is run in an environment other than the usual one.
func (r *session) runIn(ctx context.Context, command string, env map[string]string, call func(*tfexec.Terraform) error) error {
	ctx, unwatch := r.box.Watch(ctx, r.own(), r.tmp, r.space.sources())
	defer unwatch()
	if ctx.Err() != nil {
		return phaseError(ctx, command, ctx.Err())
	}
	output := r.output(command)
	tf, err := r.terraform(output, env)
	if err != nil {
		return err
	}
	engine.BeginLog(r.log, command)
	r.said = newListener(r.log)
	ended, followed := make(chan struct{}), make(chan error, 1)
	go func() { followed <- sandbox.Follow(output, ended, r.said) }()
	go r.stopWith(ctx, pidFile(output), ended)
	err = call(tf)
	close(ended)
	if ferr := <-followed; ferr != nil {
		r.Log.Error("following terraform", "err", ferr)
	}
	r.said.flush()
	return r.verdict(ctx, command, err)
}

// output is the file that a command's output goes to, and pidFile the one that
// names its process.
func (r *session) output(command string) string { return filepath.Join(r.dir, command+".out") }

func pidFile(output string) string { return output + ".pid" }

// verdict turns the end of a command into an error for people.
func (r *session) verdict(ctx context.Context, command string, err error) error {
	if err == nil {
		if context.Cause(ctx) != nil { // interrupted early, Terraform may end well
			return phaseError(ctx, command, ctx.Err())
		}
		return nil
	}
	if command == "apply" && !r.said.summed && sandbox.WasKilled(err) {
		return interrupted(ctx)
	}
	if context.Cause(ctx) != nil || len(r.said.errors) == 0 && len(r.said.other) == 0 {
		return phaseError(ctx, command, err)
	}
	f := &Failure{Command: command, Errors: r.said.errors, More: r.said.more, Output: r.said.reason()}
	f.Walls = r.walls().Met(f.Error())
	return f
}

// terraform readies the session's value for one command. With output, what the
// command prints goes into that file and its process identifier beside it. One
// value serves all commands, since each new one asks for the version.
func (r *session) terraform(output string, env map[string]string) (*tfexec.Terraform, error) {
	if r.tf == nil {
		tf, err := tfexec.NewTerraform(r.space.root, r.Self)
		if err != nil {
			return nil, err
		}
		r.tf = tf
	}
	spec := sandbox.Spec{Program: r.binary, Output: output, Answers: map[string]string{"version -json": r.version}, Walls: r.walls()}
	if output != "" {
		spec.PidFile, spec.Hold = pidFile(output), append(r.box.Hold(), r.space.lockPath(), filepath.Join(r.dir, aliveLock))
		for _, path := range []string{output, spec.PidFile} { // of the same command before
			if err := os.Remove(path); err != nil && !errors.Is(err, os.ErrNotExist) {
				return nil, err
			}
		}
	}
	name, value, err := spec.Variable()
	if err != nil {
		return nil, err
	}
	env[name] = value
	return r.tf, errors.Join(r.tf.SetEnv(env), r.box.Give(append(r.job.AccessDirs(), r.own(), r.tmp, r.space.sources())...))
}

// environment is all that Terraform, its providers and what they start get to
// see of the world. Nothing of our own environment is handed on but PATH.
func (r *session) environment() map[string]string {
	state := r.job.Terraform.State
	env := map[string]string{
		"PATH": os.Getenv("PATH"), "LANG": "C.UTF-8",
		"HOME": r.home(), "TMPDIR": r.tmp,
		"TF_CLI_CONFIG_FILE": r.configFile(), "CHECKPOINT_DISABLE": "1",
		"TF_HTTP_ADDRESS": state.Address, "TF_HTTP_LOCK_ADDRESS": state.Address, "TF_HTTP_UNLOCK_ADDRESS": state.Address,
		"TF_HTTP_LOCK_METHOD": "LOCK", "TF_HTTP_UNLOCK_METHOD": "UNLOCK",
		"TF_HTTP_USERNAME": state.Username, "TF_HTTP_PASSWORD": state.Password,
		"TF_HTTP_RETRY_MAX": r.retries(), "TF_HTTP_RETRY_WAIT_MIN": "1", "TF_HTTP_RETRY_WAIT_MAX": "15",
	}
	maps.Copy(env, r.memory())
	for _, name := range []string{"SSL_CERT_FILE", "SSL_CERT_DIR", "HTTPS_PROXY", "HTTP_PROXY", "NO_PROXY", "https_proxy", "http_proxy", "no_proxy"} {
		if v, ok := os.LookupEnv(name); ok {
			env[name] = v
		}
	}
	if ca := env["SSL_CERT_FILE"]; ca != "" { // for which git has a name of its own
		env["GIT_SSL_CAINFO"] = ca
	}
	maps.Copy(env, tfexec.CleanEnv(maps.Clone(r.job.Env)))
	return env
}

// retries is how often Terraform asks for its state while the API is away, with
// at most 15 seconds in between: a plan for as long as a restart takes, an
// apply, whose state would be lost, for most of a day.
func (r *session) retries() string {
	if r.job.Phase == engine.PhaseApply {
		return "5000"
	}
	return "20"
}

// memory trades memory for CPU time. Collecting garbage costs a short command
// a third of its time; the limit brings collection back where it is long.
func (r *session) memory() map[string]string {
	if r.space.builtinOnly() {
		return map[string]string{"GOGC": "off", "GOMEMLIMIT": "1GiB"}
	}
	return map[string]string{"GOGC": "400", "GOMEMLIMIT": "3GiB"}
}

// stopWith interrupts the command when ctx ends before it, and kills it after
// the grace, or at once when somebody is in a hurry.
func (r *session) stopWith(ctx context.Context, pidFile string, ended <-chan struct{}) {
	select {
	case <-ended:
		return
	case <-ctx.Done():
	}
	p, ok := sandbox.AwaitProcess(pidFile, ended)
	if !ok {
		return
	}
	r.stop(p, ended)
}

// stop interrupts a process, and kills it after the grace, with its whole
// group, since what local-exec started outlives Terraform otherwise.
func (r *session) stop(p sandbox.Process, ended <-chan struct{}) {
	signal(p.Pid, syscall.SIGINT)
	grace := time.NewTimer(r.job.Grace)
	defer grace.Stop()
	select {
	case <-ended:
	case <-grace.C:
	case <-r.job.Hurry:
	}
	signal(p.Pid, syscall.SIGKILL) // what is left of the group
}

func signal(group int, sig syscall.Signal) {
	_ = syscall.Kill(-group, sig) // it may have ended by now
}
