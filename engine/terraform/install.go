package terraform

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	goversion "github.com/hashicorp/go-version"
	install "github.com/hashicorp/hc-install"
	"github.com/hashicorp/hc-install/fs"
	"github.com/hashicorp/hc-install/product"
	"github.com/hashicorp/hc-install/releases"
	"github.com/hashicorp/hc-install/src"
	"golang.org/x/sys/unix"
)

// wanted is the range of Terraform versions that we drive: machine-readable
// plans with -json came with 0.15, their shape is stable since 1.0, and init
// with -json came with 1.9.
const wanted = ">= 1.6, < 2.0"

// find gives the path of Terraform: the one that was named, else that on
// PATH, else one that is installed into the data folder, once, with its
// checksum and signature verified.
func (d *Driver) find(ctx context.Context, log io.Writer) (string, error) {
	if d.Binary != "" {
		return d.Binary, nil
	}
	if path, err := (&fs.AnyVersion{Product: &product.Terraform}).Find(ctx); err == nil {
		return filepath.Abs(path)
	}
	dir := filepath.Join(d.DataDir, "terraform")
	installed := filepath.Join(dir, "terraform")
	if _, err := os.Stat(installed); err == nil {
		return installed, nil
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return "", err
	}
	unlock, err := lock(filepath.Join(dir, "lock"))
	if err != nil {
		return "", err
	}
	defer unlock()
	if _, err := os.Stat(installed); err == nil {
		return installed, nil
	}
	fmt.Fprintln(log, "Installing Terraform, which is not on PATH.")
	return d.install(ctx, dir, installed)
}

func (d *Driver) install(ctx context.Context, dir, target string) (string, error) {
	constraints, err := goversion.NewConstraint(wanted)
	if err != nil {
		return "", err
	}
	tmp, err := os.MkdirTemp(dir, "new-")
	if err != nil {
		return "", err
	}
	defer os.RemoveAll(tmp)
	path, err := install.NewInstaller().Ensure(ctx, []src.Source{
		&releases.LatestVersion{Product: product.Terraform, Constraints: constraints, InstallDir: tmp},
	})
	if err != nil {
		return "", fmt.Errorf("terraform is not on PATH and could not be installed: %w; install it, or name it with --terraform", err)
	}
	return target, os.Rename(path, target)
}

// lock waits for the lock on a file.
func lock(path string) (unlock func(), err error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, err
	}
	if err := unix.Flock(int(f.Fd()), unix.LOCK_EX); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return func() { _ = f.Close() }, nil
}

// versionOf gives what `terraform version -json` prints. It is asked once for
// each binary and kept beside its size and time of change.
func (d *Driver) versionOf(ctx context.Context, binary string) (string, error) {
	info, err := os.Stat(binary)
	if err != nil {
		return "", fmt.Errorf("terraform: %w", err)
	}
	key := hash(fmt.Appendf(nil, "%s %d %d", binary, info.Size(), info.ModTime().UnixNano()))[:16]
	cached := filepath.Join(d.DataDir, "versions", key+".json")
	if b, err := os.ReadFile(cached); err == nil {
		return string(b), nil
	}
	cmd := exec.CommandContext(ctx, binary, "version", "-json")
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "CHECKPOINT_DISABLE=1"}
	cmd.Dir = os.TempDir()
	out, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("%s version: %w", binary, err)
	}
	if err := os.MkdirAll(filepath.Dir(cached), 0o700); err != nil {
		return "", err
	}
	tmp := cached + "." + fmt.Sprint(os.Getpid())
	if err := os.WriteFile(tmp, out, 0o600); err != nil {
		return "", err
	}
	return string(out), os.Rename(tmp, cached)
}

// store is the folder of providers that we fetched, in the layout of an
// unpacked filesystem mirror: host/namespace/type/version/system.
func (d *Driver) store() string { return filepath.Join(d.DataDir, "providers") }

// cliConfig lets init take providers from folders only, so that it links to
// them and downloads nothing.
func (r *session) cliConfig() string {
	var b strings.Builder
	b.WriteString("disable_checkpoint = true\nprovider_installation {\n")
	for _, dir := range []string{r.Mirror, r.store()} {
		if dir != "" {
			fmt.Fprintf(&b, "  filesystem_mirror {\n    path = %q\n  }\n", dir)
		}
	}
	b.WriteString("}\n")
	return b.String()
}
