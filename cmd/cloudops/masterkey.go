package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net/url"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/pflag"

	"github.com/cloudops-manager/cloudops/engine/kms"
	"github.com/cloudops-manager/cloudops/engine/vault"
)

// openMaster finds the master key that a URI names: file:///path, env://NAME,
// or a key of a key service.
func openMaster(ctx context.Context, uri string) (vault.Master, error) {
	scheme, at, ok := strings.Cut(uri, "://")
	switch {
	case !ok:
		return nil, noURI()
	case scheme == "file":
		path, ok := filePath(at)
		if !ok {
			return nil, misuse("--master-key %s: a file is given from the root, as in: file:///etc/cloudops/master.key", uri)
		}
		return vault.KeyFile(path)
	case scheme == "env":
		key := os.Getenv(at)
		if key == "" {
			return nil, misuse("--master-key %s: the environment has no %s", uri, at)
		}
		return vault.LocalKey(key)
	}
	return kms.Open(ctx, uri, os.Getenv)
}

// filePath is the path in a file:// URI.
func filePath(at string) (path string, ok bool) {
	path, err := url.PathUnescape(at)
	return path, err == nil && strings.HasPrefix(path, "/")
}

// openVault opens the data keys of the database with the master key, or makes both
// where there are none yet.
func openVault(ctx context.Context, o *serverOptions, keys vault.KeyStore, log *slog.Logger) (*vault.Vault, error) {
	if err := o.checkKeyFile(ctx, keys, log); err != nil {
		return nil, err
	}
	master, err := o.master(ctx)
	if err != nil {
		return nil, err
	}
	return vault.Open(ctx, vault.Options{Master: master, Keys: keys})
}

// checkKeyFile keeps a new master key from being made for a database that has
// data keys under another one, and says who else can read the file.
func (o *serverOptions) checkKeyFile(ctx context.Context, keys vault.KeyStore, log *slog.Logger) error {
	path := o.masterKeyFile
	if o.masterKey != "" {
		at, ok := strings.CutPrefix(o.masterKey, "file://")
		if path, _ = filePath(at); !ok {
			return nil
		}
	}
	info, err := os.Stat(path)
	if err == nil && info.Mode().Perm()&0o077 != 0 {
		log.WarnContext(ctx, "others than the owner can get at the master key's file; chmod 600 keeps them away", "file", path, "mode", info.Mode().Perm())
	}
	if !errors.Is(err, fs.ErrNotExist) {
		return nil // what else is wrong comes to light where it is read
	}
	kept, err := keys.DataKeys(ctx)
	if err != nil || len(kept) == 0 {
		return err
	}
	return fmt.Errorf("there is none at %s, and this database has data keys under %s; put that master key there, or say where it is with --master-key", path, cmp.Or(kept[0].Master, "one of its own"))
}

func noURI() error {
	return misuse("a master key is named by a URI, such as file:///etc/cloudops/master.key, env://NAME, or %s://...", strings.Join(kms.Schemes(), "://..., "))
}

func (o *serverOptions) masterFlags(f *pflag.FlagSet) {
	f.StringVar(&o.masterKeyFile, "master-key-file", "", "file with the master key, made at the first start (default in the data folder)")
	f.StringVar(&o.masterKey, "master-key", "", "URI of the master key, instead of a file in the data folder: file:///path, env://NAME, aws-kms://ARN, azure-kv://VAULT/KEY, gcp-kms://projects/... or vault-transit://MOUNT/KEY; CLOUDOPS_MASTER_KEY may also hold the key itself")
}

// placeKey fills in where the file with the master key is. It stands behind place.
func (o *serverOptions) placeKey() {
	if o.masterKeyFile == "" {
		o.masterKeyFile = filepath.Join(o.dataDir, "master.key")
	}
}

// master is the master key that the server's settings name. CLOUDOPS_MASTER_KEY
// holds a URI or, as it always did, the key itself.
func (o *serverOptions) master(ctx context.Context) (vault.Master, error) {
	switch {
	case o.masterKey == "":
		return vault.KeyFile(o.masterKeyFile)
	case strings.Contains(o.masterKey, "://"):
		return openMaster(ctx, o.masterKey)
	case o.masterKey != os.Getenv("CLOUDOPS_MASTER_KEY"):
		return nil, misuse("--master-key takes a URI, as in: --master-key file:///etc/cloudops/master.key; the key itself has no place among arguments, which everybody on the machine sees")
	}
	return vault.LocalKey(o.masterKey)
}
