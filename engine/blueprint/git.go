package blueprint

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/cloudops-manager/cloudops/engine"
	"github.com/cloudops-manager/cloudops/engine/egress"
)

// GitCLI is Git on the program git. It reads no configuration of the machine,
// asks for nothing and speaks https and file only.
type GitCLI struct {
	Program string        // path; empty for the one on PATH
	Timeout time.Duration // of one fetch; 0 for two minutes
	Env     []string      // more environment, such as HTTPS_PROXY=...
	// Guard decides what is reached by https, and is what git goes through; nil
	// lets git go where this machine can.
	Guard *egress.Guard
	// NoFile refuses git::file://, for servers whose own disk is none of its
	// users' business.
	NoFile bool
}

// Fetch implements Git.
func (g GitCLI) Fetch(ctx context.Context, url, ref, into string) (string, error) {
	if err := g.check(url, ref); err != nil {
		return "", err
	}
	timeout := g.Timeout
	if timeout == 0 {
		timeout = 2 * time.Minute
	}
	ctx, cancel := context.WithTimeoutCause(ctx, timeout, engine.Invalid("git took longer than %s", timeout))
	defer cancel()
	if _, err := g.run(ctx, into, "init", "--quiet", "--template="); err != nil {
		return "", err
	}
	commit, err := g.guardedFetch(ctx, url, ref, into)
	if err == nil {
		err = g.measure(ctx, into, commit)
	}
	if err != nil {
		return "", fmt.Errorf("fetch %s: %w", url, err)
	}
	_, err = g.run(ctx, into, "checkout", "--quiet", "--detach", commit)
	return commit, err
}

// check refuses what git could take for an option or another protocol.
func (g GitCLI) check(url, ref string) error {
	file := strings.HasPrefix(url, "file:///")
	if !file && !strings.HasPrefix(url, "https://") {
		return engine.Invalid("%q is no address of a repository: write https:// or file:///", url)
	}
	if file && g.NoFile {
		return engine.Invalid("this server takes no modules from its own disk; use git::https://")
	}
	if strings.HasPrefix(ref, "-") {
		return engine.Invalid("%q is no tag, branch or commit", ref)
	}
	return nil
}

// guardedFetch leads git through a tunnel of the guard. What the guard refused is
// a better reason than git's.
func (g GitCLI) guardedFetch(ctx context.Context, url, ref, into string) (string, error) {
	if g.Guard == nil {
		return g.fetch(ctx, url, ref, into)
	}
	tunnel, err := g.Guard.Listen()
	if err != nil {
		return "", err
	}
	defer tunnel.Close()
	// By the environment, since every user of a machine can see arguments.
	g.Env = append(slices.Clone(g.Env), "NO_PROXY=", "GIT_CONFIG_COUNT=2", "GIT_CONFIG_KEY_0=http.proxy", "GIT_CONFIG_VALUE_0="+tunnel.URL().Reveal(),
		"GIT_CONFIG_KEY_1=http.proxyAuthMethod", "GIT_CONFIG_VALUE_1=basic")
	commit, err := g.fetch(ctx, url, ref, into)
	if refused := tunnel.Refused(); err != nil && ctx.Err() == nil && refused != nil {
		return "", engine.Invalid("%v", refused)
	}
	return commit, err
}

// fetch gets the one commit that ref names. Where a server gives only what its
// branches and tags point at, a commit is looked for in their history.
func (g GitCLI) fetch(ctx context.Context, url, ref, into string) (string, error) {
	want := ref
	if ref == "" {
		want = "HEAD"
	}
	_, err := g.run(ctx, into, "fetch", "--quiet", "--depth=1", "--no-tags", "--no-recurse-submodules", "--", url, want)
	if err == nil {
		return g.run(ctx, into, "rev-parse", "--verify", "FETCH_HEAD^{commit}")
	}
	if ok, _ := regexp.MatchString(`^[0-9a-f]{7,40}$`, ref); !ok {
		return "", err
	}
	_, err = g.run(ctx, into, "fetch", "--quiet", "--no-recurse-submodules", "--", url, "+refs/heads/*:refs/fetched/heads/*", "+refs/tags/*:refs/tags/*")
	if err != nil {
		return "", err
	}
	return g.run(ctx, into, "rev-parse", "--verify", "--end-of-options", ref+"^{commit}")
}

// run runs git in the folder and returns what it prints, without white space
// around it.
func (g GitCLI) run(ctx context.Context, dir string, args ...string) (string, error) {
	var out strings.Builder
	err := g.runTo(ctx, &out, dir, args...)
	return strings.TrimSpace(out.String()), err
}

func (g GitCLI) runTo(ctx context.Context, out io.Writer, dir string, args ...string) error {
	program := g.Program
	if program == "" {
		program = "git"
	}
	settings := []string{"-c", "protocol.allow=never", "-c", "protocol.https.allow=always", "-c", "protocol.file.allow=always", "-c", "core.symlinks=false", "-c", "core.hooksPath=/dev/null", "-c", "credential.helper=", "-c", "core.bigFileThreshold=8m"}
	cmd := exec.CommandContext(ctx, program, append(settings, args...)...)
	var complaint bytes.Buffer
	cmd.Dir, cmd.Stdout, cmd.Stderr, cmd.Env = dir, out, &complaint, g.environment(dir)
	cmd.WaitDelay = 5 * time.Second
	err := cmd.Run()
	switch {
	case err == nil:
		return nil
	case ctx.Err() != nil:
		return context.Cause(ctx)
	case errors.Is(err, exec.ErrNotFound):
		return engine.Invalid("modules from Git need the program git, which is not installed; install it, for example with: apt-get install git")
	default:
		return engine.Invalid("git %s: %s", args[0], lastLine(complaint.String(), err))
	}
}

func (g GitCLI) environment(dir string) []string {
	return append([]string{
		"PATH=" + os.Getenv("PATH"), "HOME=" + filepath.Join(dir, ".git"), "LC_ALL=C",
		"GIT_CONFIG_NOSYSTEM=1", "GIT_CONFIG_GLOBAL=/dev/null", "GIT_TERMINAL_PROMPT=0", "GIT_ASKPASS=false", "GIT_LFS_SKIP_SMUDGE=1",
		"GIT_ALLOC_LIMIT=256m", // of one piece of memory: what was packed small may be large
	}, g.Env...)
}

// lastLine is where git says what is wrong.
func lastLine(text string, err error) string {
	lines := strings.Split(strings.TrimSpace(text), "\n")
	for _, line := range lines {
		if rest, ok := strings.CutPrefix(line, "fatal: "); ok {
			return rest
		}
	}
	if last := lines[len(lines)-1]; last != "" {
		return last
	}
	return err.Error()
}
