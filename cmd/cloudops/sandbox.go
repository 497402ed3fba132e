package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/dustin/go-humanize"
	"github.com/spf13/pflag"

	"github.com/cloudops-manager/cloudops/engine/sandbox"
)

// sandboxOptions are a worker's settings for the walls around what its steps start.
type sandboxOptions struct {
	policy sandbox.Policy
	users  string
}

func (o *sandboxOptions) flags(f *pflag.FlagSet) {
	p := &o.policy
	f.StringVar((*string)(&p.Mode), "sandbox", "auto", "walls around all that steps start: auto (as far as this machine can; the log says how far), require (or the worker does not start) or off")
	f.StringSliceVar(&p.Read, "sandbox-read", nil, "folders and files that steps may read besides their own and the system's")
	f.StringSliceVar(&p.Write, "sandbox-write", nil, "folders and files that steps may write to besides their own; steps that share some have no users of their own")
	f.IntSliceVar(&p.Connect, "sandbox-connect", nil, "TCP ports that steps may connect to besides 443, 53, and those of their providers' endpoints and hosts")
	f.StringVar(&o.users, "sandbox-users", "60800-61099", "user identifiers that nobody has, one for each step, where the worker is root; empty for none")
	l := &p.Limits
	l.Memory, l.FileSize, l.Disk, l.Processes, l.Files = 4<<30, 8<<30, 32<<30, 4096, 16384
	f.Var((*byteSize)(&l.Memory), "sandbox-memory", "bytes of memory in one process of a step; 0 for no limit")
	f.Var((*byteSize)(&l.FileSize), "sandbox-file-size", "bytes in one file of a step; 0 for no limit")
	f.Var((*byteSize)(&l.Disk), "sandbox-disk", "bytes in the folders of a step; 0 for no limit")
	f.Int64Var(&l.Processes, "sandbox-processes", l.Processes, "processes and threads of a step, where it has a user or namespaces of its own; 0 for no limit")
	f.Int64Var(&l.Files, "sandbox-files", l.Files, "files that one process of a step has open; 0 for no limit")
}

// check looks at every setting that a machine has no part in.
func (o *sandboxOptions) check() (err error) {
	o.policy.Users, err = sandbox.ParseUsers(o.users)
	errs := []error{}
	if err != nil {
		errs = append(errs, fmt.Errorf("--sandbox-users: %w", err))
	}
	for _, port := range o.policy.Connect {
		if port < 1 || port > math.MaxUint16 {
			errs = append(errs, fmt.Errorf("--sandbox-connect: %d is no TCP port", port))
		}
	}
	for _, path := range append(o.policy.Read, o.policy.Write...) {
		if !filepath.IsAbs(path) {
			errs = append(errs, fmt.Errorf("--sandbox-read and --sandbox-write take absolute paths, not %q", path))
		}
	}
	return errors.Join(errs...)
}

// signInFiles are the variables that name files which the server, or a library of it, signs
// in with to a key service or its database, and where these lie in its home otherwise.
var signInFiles = struct{ variables, home []string }{
	strings.Fields("AWS_CONFIG_FILE AWS_SHARED_CREDENTIALS_FILE AWS_WEB_IDENTITY_TOKEN_FILE AZURE_FEDERATED_TOKEN_FILE GOOGLE_APPLICATION_CREDENTIALS PGPASSFILE PGSSLKEY VAULT_TOKEN_FILE"),
	strings.Fields(".aws .config/gcloud .pgpass .postgresql .vault-token"),
}

// secretPlaces are the files and folders that the server's secrets are in.
func (o *serverOptions) secretPlaces() []string {
	paths := []string{o.dataDir, o.masterKeyFile, o.secretsOf.vault.TokenFile, o.https.key}
	if at, isFile := strings.CutPrefix(o.masterKey, "file://"); isFile {
		path, _ := filePath(at)
		paths = append(paths, path)
	}
	if path, isFile := strings.CutPrefix(o.databaseURL, "sqlite://"); isFile {
		paths = append(paths, path, path+"-wal", path+"-shm")
	}
	for _, v := range os.Environ() {
		name, path, _ := strings.Cut(v, "=")
		if strings.HasPrefix(name, "CLOUDOPS_") && strings.HasSuffix(name, "_FILE") || slices.Contains(signInFiles.variables, name) {
			paths = append(paths, path)
		}
	}
	if home, err := os.UserHomeDir(); err == nil { // else there is none
		for _, name := range signInFiles.home {
			paths = append(paths, filepath.Join(home, name))
		}
	}
	return absolute(paths)
}

func absolute(paths []string) (all []string) {
	for _, path := range paths {
		if at, err := filepath.Abs(path); err == nil && path != "" { // which is not given, and not where we are
			all = append(all, at)
		}
	}
	return all
}

// survey says in the log what the walls hold, and lets no worker start that
// cannot have the walls it requires.
func (o *sandboxOptions) survey(log *slog.Logger) error {
	exe, err := self()
	if err != nil {
		return err
	}
	had, lacks, err := o.policy.Survey(exe)
	if err != nil {
		return &exitError{code: exitMisuse, err: fmt.Errorf("--sandbox: %w", err)}
	}
	if o.policy = had; had.Mode == sandbox.Off {
		log.Warn("steps run without walls: what a stack starts can do all that the worker's user can", "sandbox", had.Mode)
		return nil
	}
	attrs := []any{"sandbox", had.Mode, "holds", had.String()}
	if len(lacks) > 0 {
		attrs = append(attrs, "lacks", strings.Join(lacks, "; "))
	}
	log.Info("walls are around all that steps start", attrs...)
	return nil
}

// settings is how a worker hands its walls to its runners.
func (o *sandboxOptions) settings() string {
	b, err := json.Marshal(o.policy)
	if err != nil {
		panic(err) // numbers and texts can always be written
	}
	return string(b)
}

// wallsOf reads what settings gives; no walls where a worker before knew none.
func wallsOf(settings map[string]string) (p sandbox.Policy) {
	if json.Unmarshal([]byte(settings["walls"]), &p) != nil {
		return sandbox.Policy{}
	}
	return p
}

// byteSize is a flag as in 512MiB or 8GB.
type byteSize int64

// String implements pflag.Value.
func (s *byteSize) String() string { return strings.ReplaceAll(humanize.IBytes(uint64(*s)), " ", "") } // #nosec G115 -- Set takes no size below 0

// Set implements pflag.Value.
func (s *byteSize) Set(text string) error {
	n, err := humanize.ParseBytes(text)
	if err != nil || n > math.MaxInt64 {
		return fmt.Errorf("%q is no size, as in: 512MiB or 8GB", text)
	}
	*s = byteSize(n)
	return nil
}

// Type implements pflag.Value.
func (s *byteSize) Type() string { return "size" }
