package main

import (
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"filippo.io/age"
	"github.com/spf13/cobra"

	"github.com/cloudops-manager/cloudops/engine/store"
)

// backupOptions say which database is meant and what opens the file.
type backupOptions struct {
	server     serverOptions
	file       string
	recipients []string
	identity   string
}

func (o *backupOptions) flags(cmd *cobra.Command) {
	f := cmd.Flags()
	f.StringVar(&o.server.dataDir, "data-dir", defaultDataDir(), "folder with the database, where that is SQLite")
	f.StringVar(&o.server.databaseURL, "database-url", "", "sqlite:///path or postgres://... (default SQLite in the data folder)")
}

func newBackup() *cobra.Command {
	var o backupOptions
	cmd := &cobra.Command{
		Use:   "backup",
		Short: "Write all that the database holds to one encrypted file, while the server runs",
		Long: `Writes all that the database holds, as it is at one moment, to one file that is
encrypted with age: for recipients, or with the passphrase in
CLOUDOPS_BACKUP_PASSPHRASE (or the file that CLOUDOPS_BACKUP_PASSPHRASE_FILE
names). The server may go on running.

The master key is not in it: keep a copy of that elsewhere. Without it nobody
can read the states, plans and credentials in the backup.`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			to, err := o.encryptFor()
			if err != nil {
				return err
			}
			rows, err := o.backup(cmd.Context(), to)
			if err == nil {
				fmt.Fprintf(cmd.ErrOrStderr(), "backed up %s to %s\n", counted(rows), o.file)
			}
			return err
		},
	}
	o.flags(cmd)
	cmd.Flags().StringVar(&o.file, "to", "", "file to write, which must not be there yet; - for standard output")
	cmd.Flags().StringSliceVar(&o.recipients, "recipient", nil, "public key of age, or of SSH as age takes it, that can open the file; may be given several times")
	return required(cmd, "to")
}

func newRestore() *cobra.Command {
	var o backupOptions
	cmd := &cobra.Command{
		Use:   "restore",
		Short: "Fill an empty database with a backup",
		Long: `Fills an empty database, of either kind, with a backup of this or an older
version. The server must not have been started on it: it is to find the master
key of the server that was backed up, and no data of its own.`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			with, err := o.decryptWith()
			if err != nil {
				return err
			}
			rows, err := o.restore(cmd.Context(), with)
			if err == nil {
				fmt.Fprintf(cmd.ErrOrStderr(), "restored %s; start the server with the master key that it had\n", counted(rows))
			}
			return err
		},
	}
	o.flags(cmd)
	cmd.Flags().StringVar(&o.file, "from", "", "file to read; - for standard input")
	cmd.Flags().StringVar(&o.identity, "identity", "", "file with the private key of age that opens the backup")
	return required(cmd, "from")
}

// counted says how much it was, by what people count.
func counted(rows map[string]int) string {
	return fmt.Sprintf("%d stacks, %d runs and %d state versions", rows["stacks"], rows["runs"], rows["state_versions"])
}

// open opens the database.
func (o *backupOptions) open(ctx context.Context) (*store.Store, error) {
	return store.Open(ctx, store.Options{URL: o.server.databaseURL})
}

func (o *backupOptions) encryptFor() (to []age.Recipient, err error) {
	for _, text := range o.recipients {
		r, err := age.ParseRecipients(strings.NewReader(text))
		if err != nil {
			return nil, misuse("--recipient %s: %v; give a public key as age-keygen prints it, as in: age1...", text, err)
		}
		to = append(to, r...)
	}
	passphrase, _, err := environment("CLOUDOPS_BACKUP_PASSPHRASE")
	switch {
	case err != nil:
		return nil, err
	case len(to) > 0:
		return to, nil
	case passphrase == "":
		return nil, misuse("say who can open the backup: --recipient age1..., or a passphrase in CLOUDOPS_BACKUP_PASSPHRASE")
	}
	r, err := age.NewScryptRecipient(passphrase)
	return []age.Recipient{r}, err
}

func (o *backupOptions) decryptWith() ([]age.Identity, error) {
	passphrase, ok, err := environment("CLOUDOPS_BACKUP_PASSPHRASE")
	switch {
	case err != nil:
		return nil, err
	case o.identity != "":
		f, err := os.Open(o.identity)
		if err != nil {
			return nil, err
		}
		defer f.Close()
		return age.ParseIdentities(f)
	case !ok:
		return nil, misuse("say what opens the backup: --identity FILE, or the passphrase in CLOUDOPS_BACKUP_PASSPHRASE")
	}
	i, err := age.NewScryptIdentity(passphrase)
	return []age.Identity{i}, err
}

// backup writes the file under another name first: a file of the name that was
// asked for is whole.
func (o *backupOptions) backup(ctx context.Context, to []age.Recipient) (rows map[string]int, err error) {
	if err := o.server.place(); err != nil {
		return nil, err
	}
	if path, ok := strings.CutPrefix(o.server.databaseURL, "sqlite://"); ok && !fileExists(path) {
		return nil, fmt.Errorf("there is no database at %s; say where it is with --data-dir or --database-url", path)
	}
	s, err := o.open(ctx)
	if err != nil {
		return nil, err
	}
	defer s.Close()
	if o.file == "-" {
		return seal(ctx, s, os.Stdout, to)
	}
	if fileExists(o.file) {
		return nil, fmt.Errorf("%s is there already; give another name", o.file)
	}
	part := o.file + ".part"
	f, err := os.OpenFile(part, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, err
	}
	rows, err = seal(ctx, s, f, to)
	if err = errors.Join(err, f.Sync(), f.Close()); err == nil {
		return rows, os.Rename(part, o.file)
	}
	return nil, errors.Join(err, os.Remove(part))
}

// seal writes a dump, packed and then encrypted.
func seal(ctx context.Context, s *store.Store, w io.Writer, to []age.Recipient) (map[string]int, error) {
	sealed, err := age.Encrypt(w, to...)
	if err != nil {
		return nil, err
	}
	packed := gzip.NewWriter(sealed)
	rows, err := s.Dump(ctx, packed)
	return rows, errors.Join(err, packed.Close(), sealed.Close())
}

func (o *backupOptions) restore(ctx context.Context, with []age.Identity) (map[string]int, error) {
	var from io.Reader = os.Stdin
	if o.file != "-" {
		f, err := os.Open(o.file)
		if err != nil {
			return nil, err
		}
		defer f.Close()
		from = f
	}
	opened, err := age.Decrypt(from, with...)
	if err != nil {
		return nil, fmt.Errorf("the backup cannot be opened: %w", err)
	}
	unpacked, err := gzip.NewReader(opened)
	if err != nil {
		return nil, fmt.Errorf("the backup cannot be read: %w", err)
	}
	if err := errors.Join(o.server.place(), os.MkdirAll(o.server.dataDir, 0o700)); err != nil {
		return nil, err
	}
	s, err := o.open(ctx)
	if err != nil {
		return nil, err
	}
	defer s.Close()
	return s.Load(ctx, unpacked)
}
