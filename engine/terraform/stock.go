package terraform

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/hashicorp/terraform-exec/tfexec"
)

// stock fetches the providers that the workspace needs into the store. There
// is one writer at a time, in a folder of its own; a package appears in the
// store whole and is never written again, so no run sees half of one.
func (r *session) stock(ctx context.Context) error {
	if err := os.MkdirAll(r.store(), 0o755); err != nil {
		return err
	}
	unlock, err := lock(filepath.Join(r.store(), ".lock"))
	if err != nil {
		return err
	}
	defer unlock()
	fmt.Fprintln(r.log, "Fetching providers into the store.")
	scratch, err := os.MkdirTemp(r.DataDir, "stock-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(scratch)
	if err := r.fetch(ctx, scratch); err != nil {
		return err
	}
	return r.shelve(filepath.Join(scratch, "data", "providers"))
}

// fetch has Terraform install what the configuration needs, which verifies
// checksums and signatures.
func (r *session) fetch(ctx context.Context, scratch string) error {
	config := filepath.Join(scratch, "terraform.rc")
	if err := os.WriteFile(config, []byte("disable_checkpoint = true\nprovider_installation {\n  direct {}\n}\n"), 0o600); err != nil {
		return err
	}
	tf, err := tfexec.NewTerraform(r.space.root, r.binary)
	if err != nil {
		return err
	}
	env := r.environment()
	env["TF_CLI_CONFIG_FILE"] = config
	env["TF_DATA_DIR"] = filepath.Join(scratch, "data")
	if err := tf.SetEnv(env); err != nil {
		return err
	}
	if err := tf.Init(ctx, tfexec.Backend(false)); err != nil {
		return phaseError(ctx, "init", err)
	}
	return nil
}

// shelve moves each package, host/namespace/type/version/system, into the store.
func (r *session) shelve(fetched string) error {
	packages, err := filepath.Glob(filepath.Join(fetched, "*", "*", "*", "*", "*"))
	if err != nil {
		return err
	}
	for _, from := range packages {
		rel, err := filepath.Rel(fetched, from)
		if err != nil {
			return err
		}
		to := filepath.Join(r.store(), rel)
		if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
			return err
		}
		if err := os.Rename(from, to); err != nil && !errors.Is(err, fs.ErrExist) && !isThere(to) {
			return err
		}
	}
	return nil
}

func isThere(path string) bool { _, err := os.Stat(path); return err == nil }
