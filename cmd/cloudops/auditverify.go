package main

import (
	"bufio"
	"context"
	"crypto/ed25519"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/cloudops-manager/cloudops/api/client"
	"github.com/cloudops-manager/cloudops/engine"
)

// verifyOptions say what is verified, and against what.
type verifyOptions struct {
	files, keys, checkpoints []string
	forwarded                bool
}

func newAuditVerify() *cobra.Command {
	var o verifyOptions
	cmd := &cobra.Command{
		Use:   "verify",
		Short: "Find what was changed, removed, inserted or put into another order in the audit log",
		Long: `Reads the whole audit log, from the server or from exports, and checks here, without
trusting the server, that each event says what it said when it was written, that
none is missing, added or in another place, and that all of it is what was signed.
It ends with 1 and names the events where that is not so.

The keys are taken from the log itself unless --key gives the first key, as
cloudops audit key printed it once. A checkpoint that was kept elsewhere shows
that nothing was taken off the end since.`,
		Example: `  cloudops audit export --to audit.jsonl
  cloudops audit verify --file audit.jsonl --key 11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			report, err := o.verify(cmd)
			if err != nil {
				return err
			}
			return tellReport(cmd, report)
		},
	}
	f := cmd.Flags()
	f.StringSliceVar(&o.files, "file", nil, "export to read, - for standard input; several are read one after the other (default: the server's log)")
	f.StringSliceVar(&o.keys, "key", nil, "public key to trust, in base64, or a file with it")
	f.StringSliceVar(&o.checkpoints, "checkpoint", nil, "file with signed lines that cloudops audit checkpoint printed")
	f.BoolVar(&o.forwarded, "forwarded", false, "the files are what a forwarder has sent so far: some events may stand in it twice, and the last need not be signed yet")
	return cmd
}

func (o verifyOptions) verify(cmd *cobra.Command) (engine.AuditReport, error) {
	keys, err := readKeys(o.keys)
	if err != nil {
		return engine.AuditReport{}, err
	}
	v := engine.NewVerifier(keys...)
	v.Forwarded = o.forwarded
	for _, path := range o.checkpoints {
		if err := feedFile(v.Kept, cmd, path); err != nil {
			return engine.AuditReport{}, err
		}
	}
	for _, path := range o.files {
		if err := feedFile(v.Line, cmd, path); err != nil {
			return engine.AuditReport{}, err
		}
	}
	if len(o.files) == 0 {
		if err := feedRemote(cmd, v); err != nil {
			return engine.AuditReport{}, err
		}
	}
	return v.Finish(), nil
}

// readKeys takes each text for a key, or for the name of a file that has it.
func readKeys(texts []string) (keys []ed25519.PublicKey, err error) {
	for _, text := range texts {
		if b, err := os.ReadFile(text); err == nil {
			text = string(b)
		}
		key, err := base64.StdEncoding.DecodeString(strings.TrimSpace(text))
		if err != nil || len(key) != ed25519.PublicKeySize {
			return nil, misuse("--key %q is neither a public key as cloudops audit key prints it nor a file with one", text)
		}
		keys = append(keys, key)
	}
	return keys, nil
}

func feedFile(take func([]byte), cmd *cobra.Command, path string) error {
	from := cmd.InOrStdin()
	if path != "-" {
		f, err := os.Open(path)
		if err != nil {
			return err
		}
		defer f.Close()
		from = f
	}
	return feed(take, from)
}

func feed(take func([]byte), r io.Reader) error {
	for lines := bufio.NewReaderSize(r, 1<<16); ; {
		line, err := lines.ReadBytes('\n')
		if len(line) > 0 {
			take(line)
		}
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
	}
}

func feedRemote(cmd *cobra.Command, v *engine.Verifier) error {
	c, err := connect(cmd)
	if err != nil {
		return err
	}
	ctx, stop := context.WithCancelCause(cmd.Context())
	defer stop(nil)
	r, w := io.Pipe()
	go func() { w.CloseWithError(c.ExportEvents(ctx, client.EventFilter{}, "jsonl", w)) }()
	return feed(v.Line, r)
}

// tellReport says what was found, and ends with 1 where that is something.
func tellReport(cmd *cobra.Command, r engine.AuditReport) error {
	err := show(cmd, reportJSON(r), func(w io.Writer) error {
		for _, b := range r.Breaches {
			fmt.Fprintln(w, b)
		}
		if r.More > 0 {
			fmt.Fprintf(w, "and %d more\n", r.More)
		}
		_, err := fmt.Fprintln(w, summary(r))
		return err
	})
	if err == nil && !r.Pinned {
		fmt.Fprintln(cmd.ErrOrStderr(), "the keys are those of the log itself; give the first one with --key to be sure that it is yours")
	}
	if err == nil && !r.Whole() {
		err = &exitError{code: exitFailed}
	}
	return err
}

func summary(r engine.AuditReport) string {
	if !r.Whole() {
		return fmt.Sprintf("the audit log is not whole: %d events read", r.Events)
	}
	text := fmt.Sprintf("whole: events %d to %d of installation %s, signed up to %d at %s", r.First, r.Last, r.Installation, r.Signed, r.SignedAt.Format(time.RFC3339))
	if r.Dropped > 0 {
		text += fmt.Sprintf("; %d before them were removed in order", r.Dropped)
	}
	return text
}

// verifyJSON is a report for programs.
type verifyJSON struct {
	Whole        bool         `json:"whole"`
	Installation string       `json:"installation"`
	Events       int64        `json:"events"`
	First        int64        `json:"first"`
	Last         int64        `json:"last"`
	Dropped      int64        `json:"dropped"`
	Signed       int64        `json:"signed"`
	SignedAt     time.Time    `json:"signed_at"`
	Hash         string       `json:"hash"`
	Breaches     []breachJSON `json:"breaches"`
	More         int          `json:"more,omitempty"`
}

type breachJSON struct {
	Kind string `json:"kind"`
	From int64  `json:"from,omitempty"`
	To   int64  `json:"to,omitempty"`
	Line int    `json:"line,omitempty"`
	Text string `json:"text"`
}

func reportJSON(r engine.AuditReport) verifyJSON {
	v := verifyJSON{Whole: r.Whole(), Installation: r.Installation, Events: r.Events, First: r.First, Last: r.Last, Dropped: r.Dropped,
		Signed: r.Signed, SignedAt: r.SignedAt, Hash: r.Hash, Breaches: []breachJSON{}, More: r.More}
	for _, b := range r.Breaches {
		v.Breaches = append(v.Breaches, breachJSON{string(b.Kind), b.From, b.To, b.Line, b.Text})
	}
	return v
}
