package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/cloudops-manager/cloudops/api/client"
	"github.com/cloudops-manager/cloudops/engine"
)

// addClientFlags adds the flags that all client commands share.
func addClientFlags(root *cobra.Command) {
	f := root.PersistentFlags()
	f.String("server", "", "address of the server (default: where you signed in)")
	f.StringP("output", "o", "text", "text or json")
}

// connect gives a client for the server that the flags, or the sign-in, name.
func connect(cmd *cobra.Command) (*client.Client, error) {
	kept, err := readLogin()
	if err != nil {
		return nil, err
	}
	server := option(cmd, "server")
	token, _, err := environment("CLOUDOPS_TOKEN") // never a flag: arguments can be seen
	if err != nil {
		return nil, err
	}
	if server == "" {
		server = kept.Server
	}
	if token == "" && server == kept.Server {
		token = kept.Token
	}
	if server == "" {
		return nil, misuse("no server; sign in first, as in: cloudops login --server http://127.0.0.1:8080")
	}
	if token == "" {
		return nil, misuse("no token for %s; sign in first with: cloudops login --server %s", server, server)
	}
	return client.New(server, engine.Secret(token)), nil
}

func option(cmd *cobra.Command, name string) string {
	v, err := cmd.Flags().GetString(name)
	if err != nil {
		return ""
	}
	return v
}

// describe words an error for the terminal: every mistake with its place, and
// the line of the log where the server has to be asked.
func describe(err error) string {
	var e *client.Error
	if !errors.As(err, &e) {
		return err.Error()
	}
	lines := []string{strings.Replace(err.Error(), e.Error(), e.Report(), 1)}
	if errors.Is(err, engine.ErrUnauthorized) {
		lines = append(lines, "sign in with: cloudops login")
	}
	return strings.Join(lines, "\n")
}

// show prints v as JSON where that is asked for, else what text writes.
func show(cmd *cobra.Command, v any, text func(w io.Writer) error) error {
	switch option(cmd, "output") {
	case "json":
		enc := json.NewEncoder(cmd.OutOrStdout())
		enc.SetIndent("", "  ")
		return enc.Encode(v)
	case "text":
		return text(cmd.OutOrStdout())
	default:
		return misuse("-o is text or json, not %q", option(cmd, "output"))
	}
}

// table prints rows in columns under a head.
func table(head string, rows [][]string) func(io.Writer) error {
	return func(w io.Writer) error {
		tw := tabwriter.NewWriter(w, 0, 4, 2, ' ', 0)
		fmt.Fprintln(tw, strings.ReplaceAll(head, " ", "\t"))
		for _, row := range rows {
			fmt.Fprintln(tw, strings.Join(row, "\t"))
		}
		return tw.Flush()
	}
}

// since says how long ago t was, roughly, or "-" for never.
func since(t time.Time) string {
	if t.IsZero() {
		return "-"
	}
	d := time.Since(t)
	switch {
	case d < time.Minute:
		return fmt.Sprintf("%ds", int(d.Seconds()))
	case d < time.Hour:
		return fmt.Sprintf("%dm", int(d.Minutes()))
	case d < 48*time.Hour:
		return fmt.Sprintf("%dh", int(d.Hours()))
	default:
		return fmt.Sprintf("%dd", int(d.Hours()/24))
	}
}

// terminal reports whether people look at w.
func terminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}

// paint colours text on a terminal, unless NO_COLOR is set.
func paint(w io.Writer, code, text string) string {
	if !terminal(w) || os.Getenv("NO_COLOR") != "" {
		return text
	}
	return "\x1b[" + code + "m" + text + "\x1b[0m"
}

// statusColour gives the colour of a run's or step's status.
func statusColour(status string) string {
	switch status {
	case "succeeded", "applied", "unchanged":
		return "32"
	case "failed", "interrupted", "blocked":
		return "31"
	case "planned", "deferred", "pending", "waiting":
		return "33"
	case "planning", "applying", "approved", "queued":
		return "36"
	default:
		return "2"
	}
}

// askYes asks on the terminal, and takes anything but yes for no.
func askYes(cmd *cobra.Command, question string) bool {
	fmt.Fprintf(cmd.ErrOrStderr(), "%s [y/N] ", question)
	var answer string
	fmt.Fscanln(cmd.InOrStdin(), &answer)
	return strings.EqualFold(answer, "y") || strings.EqualFold(answer, "yes")
}

// remote makes a command that asks the server.
func remote(use, short string, args cobra.PositionalArgs, run func(cmd *cobra.Command, c *client.Client, args []string) error) *cobra.Command {
	return &cobra.Command{
		Use: use, Short: short, Args: args,
		RunE: func(cmd *cobra.Command, args []string) error {
			c, err := connect(cmd)
			if err != nil {
				return err
			}
			return run(cmd, c, args)
		},
	}
}
