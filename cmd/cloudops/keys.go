package main

import (
	"context"
	"fmt"
	"os/user"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/cloudops-manager/cloudops/api/client"
	"github.com/cloudops-manager/cloudops/engine"
	"github.com/cloudops-manager/cloudops/engine/store"
	"github.com/cloudops-manager/cloudops/engine/vault"
)

func newKeys() *cobra.Command {
	cmd := &cobra.Command{Use: "keys", Short: "Rotate the keys that values in the database are sealed under"}
	rotate := remote("rotate", "Make a new data key; what is under older ones is sealed again in the background", noArgs, rotateKeys)
	cmd.AddCommand(rotate,
		remote("list", "List data keys and what becomes of them", noArgs, listKeys),
		remote("status", "Count what is sealed, by data key; this reads every value", noArgs, showKeyUsage),
		remote("destroy ID", "Destroy a retired data key, for good", exactly(1, "cloudops keys destroy 1"), destroyKey),
		newRewrap())
	return cmd
}

func listKeys(cmd *cobra.Command, c *client.Client, _ []string) error {
	keys, err := c.DataKeys(cmd.Context())
	if err != nil {
		return err
	}
	var rows [][]string
	for _, k := range keys {
		rows = append(rows, []string{strconv.Itoa(k.ID), k.Status, since(k.CreatedAt), timeText(k.RetiredAt), k.Master})
	}
	return show(cmd, keys, table("KEY STATUS AGE RETIRED MASTER", rows))
}

func showKeyUsage(cmd *cobra.Command, c *client.Client, _ []string) error {
	usage, err := c.KeyUsage(cmd.Context())
	if err != nil {
		return err
	}
	var rows [][]string
	for _, u := range usage {
		rows = append(rows, []string{strconv.Itoa(u.Key), u.Column, strconv.Itoa(u.Values)})
	}
	return show(cmd, usage, table("KEY COLUMN VALUES", rows))
}

func rotateKeys(cmd *cobra.Command, c *client.Client, _ []string) error {
	k, err := c.RotateKeys(cmd.Context())
	if err != nil {
		return err
	}
	fmt.Fprintf(cmd.ErrOrStderr(), "data key %d is made and seals in some seconds; follow what is sealed again with: cloudops keys list\n", k.ID)
	return nil
}

func destroyKey(cmd *cobra.Command, c *client.Client, args []string) error {
	id, err := strconv.Atoi(args[0])
	if err != nil {
		return misuse("%q is no number of a data key, as in: cloudops keys destroy 1", args[0])
	}
	return c.DestroyKey(cmd.Context(), id)
}

func newRewrap() *cobra.Command {
	var o serverOptions
	var to string
	cmd := &cobra.Command{
		Use:   "rewrap",
		Short: "Put the data keys under another master key; no value is touched",
		Long: `Puts the data keys under another master key, on a machine that reaches the
database and both master keys. No value is touched. Servers that run go on with
the keys that they hold; restart all of them with the new master key before
keys are rotated the next time.

Backups that were made before need the old master key.`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			moved, err := o.rewrap(cmd.Context(), to)
			if err == nil {
				fmt.Fprintf(cmd.ErrOrStderr(), "%d keys are under %s; restart the servers with: --master-key %[2]s\n", moved, to)
			}
			return err
		},
	}
	f := cmd.Flags()
	f.StringVar(&o.dataDir, "data-dir", defaultDataDir(), "folder with the database, where that is SQLite, and the master key's file")
	f.StringVar(&o.databaseURL, "database-url", "", "sqlite:///path or postgres://... (default SQLite in the data folder)")
	o.masterFlags(f)
	f.StringVar(&to, "to", "", "URI of the new master key, as --master-key takes it; a file that is missing is made")
	return required(cmd, "to")
}

// rewrap moves the data keys of a database to another master key.
func (o *serverOptions) rewrap(ctx context.Context, to string) (moved int, err error) {
	if err := o.place(); err != nil {
		return 0, err
	}
	o.placeKey()
	if !strings.Contains(to, "://") {
		return 0, noURI()
	}
	if o.masterKey == "" && !fileExists(o.masterKeyFile) {
		return 0, fmt.Errorf("there is no master key at %s; say what it is now with --master-key or --master-key-file", o.masterKeyFile)
	}
	from, err := o.master(ctx)
	if err != nil {
		return 0, fmt.Errorf("master key: %w", err)
	}
	next, err := openMaster(ctx, to)
	if err != nil {
		return 0, fmt.Errorf("new master key: %w", err)
	}
	s, err := store.Open(ctx, store.Options{URL: o.databaseURL})
	if err != nil {
		return 0, fmt.Errorf("database: %w", err)
	}
	defer s.Close()
	if err := s.Migrate(ctx); err != nil {
		return 0, fmt.Errorf("database: %w", err)
	}
	return vault.Rewrap(ctx, from, next, s, engine.Event{At: time.Now().UTC(), Actor: operator(), Action: "key.rewrap", Subject: next.String()})
}

// operator is who works on the database itself.
func operator() string {
	if u, err := user.Current(); err == nil {
		return "operator " + u.Username
	}
	return "operator"
}
