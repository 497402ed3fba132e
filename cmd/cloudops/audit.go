package main

import (
	"cmp"
	"encoding/base64"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/spf13/cobra"

	"github.com/cloudops-manager/cloudops/api/client"
)

func newAudit() *cobra.Command {
	cmd := &cobra.Command{Use: "audit", Short: "Read, export and verify the audit log"}
	list := remote("list", "List what happened, newest first", noArgs, listEvents)
	list.Long = `Lists what happened, newest first. Without a flag it is the newest of everything.
Times are written as 2026-01-31, as 2026-01-31T09:00:00Z, or as how long ago: 36h.`
	filterFlags(list)
	list.Flags().Int("limit", 50, "how many at most")
	export := remote("export", "Write the audit log to standard output or a file, oldest first", noArgs, exportEvents)
	export.Long = `Writes the audit log, oldest first. With the format jsonl and without a filter it
is what cloudops audit verify --file reads, anywhere and without the server.`
	filterFlags(export)
	export.Flags().String("format", "jsonl", "jsonl, csv or cloudevents")
	export.Flags().String("to", "-", "file to write, which must not be there yet; - for standard output")
	cmd.AddCommand(list, export, newAuditVerify(), newForwarder(),
		remote("key", "Print the public keys that sign the audit log, the first first", noArgs, auditKeys),
		remote("rotate-key", "Sign the audit log with a new key from now on", noArgs, rotateAuditKey),
		remote("checkpoint", "Print a signed line of what the audit log has now, to be kept elsewhere", noArgs, auditCheckpoint))
	return cmd
}

func filterFlags(cmd *cobra.Command) {
	f := cmd.Flags()
	f.String("actor", "", "by this person, program or part of the system only")
	f.String("action", "", "of this action, as in run.approve, or all of its kind, as in run")
	f.String("stack", "", "of this stack only")
	f.String("project", "", "of this project and of its stacks only")
	f.String("run", "", "of this run only")
	f.String("subject", "", "done to this only")
	f.String("address", "", "from this IP address only")
	f.String("request", "", "of the request with this identifier only")
	f.String("text", "", "with this text somewhere, in any case")
	f.String("since", "", "not before this time")
	f.String("until", "", "before this time")
}

func filterOf(cmd *cobra.Command) (client.EventFilter, error) {
	f := client.EventFilter{Actor: option(cmd, "actor"), Action: option(cmd, "action"), Stack: option(cmd, "stack"), Project: option(cmd, "project"), Run: option(cmd, "run"),
		Subject: option(cmd, "subject"), Address: option(cmd, "address"), Request: option(cmd, "request"), Text: option(cmd, "text")}
	var err error
	if f.From, err = timeFlag(cmd, "since"); err != nil {
		return f, err
	}
	f.To, err = timeFlag(cmd, "until")
	return f, err
}

// timeFlag reads a time as people write it; the zero time for none.
func timeFlag(cmd *cobra.Command, name string) (time.Time, error) {
	text := option(cmd, name)
	if text == "" {
		return time.Time{}, nil
	}
	if ago, err := time.ParseDuration(text); err == nil {
		return time.Now().Add(-ago), nil
	}
	for _, form := range []string{time.DateOnly, time.RFC3339} {
		if t, err := time.Parse(form, text); err == nil {
			return t, nil
		}
	}
	return time.Time{}, misuse("--%s is a time as in 2026-01-31, 2026-01-31T09:00:00Z or 36h, not %q", name, text)
}

func listEvents(cmd *cobra.Command, c *client.Client, _ []string) error {
	f, err := filterOf(cmd)
	if err != nil {
		return err
	}
	limit, err := cmd.Flags().GetInt("limit")
	if err != nil {
		return err
	}
	events := []client.Event{}
	for p := (client.Page{}); len(events) < limit; {
		p.Limit = min(200, limit-len(events))
		list, err := c.Events(cmd.Context(), f, p)
		if err != nil {
			return err
		}
		events = append(events, list.Items...)
		if p.Cursor = list.NextCursor; p.Cursor == "" {
			break
		}
	}
	var rows [][]string
	for _, e := range events {
		rows = append(rows, []string{e.At.Local().Format(time.DateTime), e.Actor, e.Action, cmp.Or(e.Stack, "-"), cmp.Or(e.Subject, "-"), cmp.Or(e.Address, "-"), string(e.Detail)})
	}
	return show(cmd, events, table("TIME ACTOR ACTION STACK SUBJECT ADDRESS DETAIL", rows))
}

func exportEvents(cmd *cobra.Command, c *client.Client, _ []string) error {
	f, err := filterOf(cmd)
	if err != nil {
		return err
	}
	path := option(cmd, "to")
	if path == "-" {
		return c.ExportEvents(cmd.Context(), f, option(cmd, "format"), cmd.OutOrStdout())
	}
	file, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	if err := c.ExportEvents(cmd.Context(), f, option(cmd, "format"), file); err != nil {
		return fmt.Errorf("%w; %s is not whole", err, path)
	}
	return file.Close()
}

func auditKeys(cmd *cobra.Command, c *client.Client, _ []string) error {
	keys, err := c.AuditKeys(cmd.Context())
	if err != nil {
		return err
	}
	var rows [][]string
	for _, k := range keys {
		state := "in use"
		if k.RetiredAt != nil {
			state = "retired"
		}
		rows = append(rows, []string{k.ID, base64.StdEncoding.EncodeToString(k.Public), k.At.Local().Format(time.DateTime), state, cmp.Or(k.By, "-")})
	}
	return show(cmd, keys, table("ID PUBLIC MADE STATE BY", rows))
}

func rotateAuditKey(cmd *cobra.Command, c *client.Client, _ []string) error {
	key, err := c.RotateAuditKey(cmd.Context())
	if err != nil {
		return err
	}
	return told(cmd, key, "the audit log is signed with key %s from now on; %s vouches for it", key.ID, key.By)
}

func auditCheckpoint(cmd *cobra.Command, c *client.Client, _ []string) error {
	checkpoint, err := c.AuditCheckpoint(cmd.Context())
	if err != nil {
		return err
	}
	return show(cmd, checkpoint, func(w io.Writer) error {
		_, err := fmt.Fprintln(w, checkpoint.Line)
		return err
	})
}
