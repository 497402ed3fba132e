package terraform

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/hashicorp/terraform-exec/tfexec"
)

// store is the folder of providers that we fetched, in the layout of an
// unpacked filesystem mirror: host/namespace/type/version/system.
func (d *Driver) store() string { return filepath.Join(d.DataDir, "providers") }

// openStore makes the store, which the users of all steps may read.
func (d *Driver) openStore() error {
	return errors.Join(os.MkdirAll(d.store(), 0o755), os.Chmod(d.store(), 0o755)) // #nosec G302 -- the users of steps read it
}

// stock fetches the providers that the workspace needs into the store. There
// is one writer at a time, in a folder of its own; a package appears in the
// store whole and is never written again, so no run sees half of one.
func (r *session) stock(ctx context.Context, wants want) error {
	held, err := lock(ctx, filepath.Join(r.store(), ".lock"))
	if err != nil {
		return fmt.Errorf("wait for the provider store: %w", err)
	}
	defer held.Close()
	if r.stocked(ctx) { // by who had the lock before
		return nil
	}
	fmt.Fprintln(r.log, "Fetching providers into the store.")
	scratch := filepath.Join(r.own(), "stock")
	if err := os.Mkdir(scratch, 0o700); err != nil {
		return err
	}
	if err := r.fetch(ctx, scratch, wants); err != nil {
		return err
	}
	if err := r.box.Take(scratch); err != nil { // for good: no step may write there again
		return err
	}
	return r.shelve(filepath.Join(scratch, "data", "providers"))
}

// stocked reports whether init has by now what it lacked.
func (r *session) stocked(ctx context.Context) bool {
	quiet := *r
	quiet.log = io.Discard
	return quiet.initOnce(ctx) == nil
}

// fetch has Terraform install what the configuration needs, which verifies
// checksums and signatures. Where there is a lock file it learns how the
// package is known on this system.
func (r *session) fetch(ctx context.Context, scratch string, wants want) error {
	config := filepath.Join(scratch, "terraform.rc")
	if err := os.WriteFile(config, []byte(r.fetchConfig(wants)), 0o600); err != nil {
		return err
	}
	env := r.environment()
	env["TF_CLI_CONFIG_FILE"] = config
	env["TF_DATA_DIR"] = filepath.Join(scratch, "data")
	return r.runIn(ctx, "init", env, func(tf *tfexec.Terraform) error {
		return tf.Init(context.WithoutCancel(ctx), tfexec.Backend(false), tfexec.Upgrade(false))
	})
}

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

// fetchConfig lets init take providers from the operator's mirror, and from
// their registry those that the mirror does not have. A lock file from another
// system only fits packages as they come from the registry.
func (r *session) fetchConfig(wants want) string {
	mirror, mirrored := "", r.mirrored()
	if wants == checksum || len(mirrored) == 0 {
		mirrored = nil
	} else {
		mirror = fmt.Sprintf("  filesystem_mirror {\n    path = %q\n  }\n", r.Mirror)
	}
	var names strings.Builder
	for _, name := range mirrored {
		fmt.Fprintf(&names, "%q, ", name)
	}
	return fmt.Sprintf("disable_checkpoint = true\nprovider_installation {\n%s  direct {\n    exclude = [%s]\n  }\n}\n", mirror, names.String())
}

// mirrored lists what the operator's mirror has: host/namespace/type.
func (r *session) mirrored() []string {
	if r.Mirror == "" {
		return nil
	}
	names, err := fs.Glob(os.DirFS(r.Mirror), "*/*/*")
	if err != nil {
		return nil // the pattern is a good one
	}
	return names
}

// shelve moves each package, host/namespace/type/version/system, into the
// store. What is a link stands in the operator's mirror.
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
		if info, err := os.Lstat(from); err != nil || !info.IsDir() {
			continue
		}
		to := filepath.Join(r.store(), rel)
		if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
			return err
		}
		if err := os.Rename(from, to); err != nil && !isThere(to) {
			return err
		}
	}
	return nil
}

func isThere(path string) bool { _, err := os.Stat(path); return err == nil }
