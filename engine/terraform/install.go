package terraform

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"

	goversion "github.com/hashicorp/go-version"
	install "github.com/hashicorp/hc-install"
	"github.com/hashicorp/hc-install/fs"
	"github.com/hashicorp/hc-install/product"
	"github.com/hashicorp/hc-install/src"
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
	held, err := lock(ctx, filepath.Join(dir, "lock"))
	if err != nil {
		return "", fmt.Errorf("wait for the installation of Terraform: %w", err)
	}
	defer held.Close()
	if _, err := os.Stat(installed); err == nil {
		return installed, nil
	}
	fmt.Fprintln(log, "Installing Terraform, which is not on PATH.")
	return d.install(ctx, dir, installed)
}

// install puts Terraform into place only once it is there as a whole, and runs.
func (d *Driver) install(ctx context.Context, dir, target string) (string, error) {
	tmp, err := os.MkdirTemp(dir, "new-")
	if err != nil {
		return "", err
	}
	defer os.RemoveAll(tmp)
	path, err := d.download(ctx, tmp)
	if err == nil { // which it is, too, where the library could not write all that it unpacked
		_, err = askVersion(ctx, path)
	}
	if err != nil {
		return "", fmt.Errorf("terraform is not on PATH and could not be installed: %w; install it, or name it with --terraform", err)
	}
	return target, os.Rename(path, target)
}

// download gets the newest Terraform that we drive into an empty folder.
func (d *Driver) download(ctx context.Context, dir string) (string, error) {
	constraints, err := goversion.NewConstraint(wanted)
	if err != nil {
		return "", err
	}
	from := d.releases
	from.Product, from.Constraints, from.InstallDir = product.Terraform, constraints, dir
	path, err := install.NewInstaller().Ensure(ctx, []src.Source{&from})
	// The library loses sight of an archive that it refuses, and then of the file
	// that it has not unpacked.
	if missed := new(os.PathError); errors.As(err, &missed) && missed.Op == "chmod" {
		return "", errors.New("the archive is not whole, or not what its checksum says")
	}
	return path, err
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
	answer, err := askVersion(ctx, binary)
	if err != nil {
		return "", err
	}
	return string(answer), writeWhole(cached, answer)
}

func askVersion(ctx context.Context, binary string) ([]byte, error) {
	cmd := exec.CommandContext(ctx, binary, "version", "-json")
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "CHECKPOINT_DISABLE=1"}
	cmd.Dir = os.TempDir()
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("%s version: %w", binary, err)
	}
	return out, supported(binary, out)
}

// supported refuses a Terraform that is outside the range we drive.
func supported(binary string, answer []byte) error {
	var said struct {
		Version string `json:"terraform_version"`
	}
	if err := json.Unmarshal(answer, &said); err != nil {
		return fmt.Errorf("%s version: %w", binary, err)
	}
	version, err := goversion.NewVersion(said.Version)
	if err != nil {
		return fmt.Errorf("%s version: %w", binary, err)
	}
	constraints, err := goversion.NewConstraint(wanted)
	if err != nil {
		return err
	}
	if !constraints.Check(version.Core()) {
		return fmt.Errorf("%s is Terraform %s, and %s is needed; install another, or name it with --terraform", binary, version, wanted)
	}
	return nil
}

// writeWhole writes a file that appears whole or not at all.
func writeWhole(path string, b []byte) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return err
	}
	tmp, err := os.CreateTemp(filepath.Dir(path), "new-")
	if err != nil {
		return err
	}
	_, err = tmp.Write(b)
	return errors.Join(err, tmp.Close(), os.Rename(tmp.Name(), path))
}
