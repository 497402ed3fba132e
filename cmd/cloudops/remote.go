package main

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/url"
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
	server, err := chosenServer(cmd, kept)
	if err != nil {
		return nil, err
	}
	token, _, err := environment("CLOUDOPS_TOKEN") // never a flag: arguments can be seen
	if err != nil {
		return nil, err
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

// chosenServer is the address of the server that the flags, or else the
// sign-in, name, in the one form in which it is kept and compared; "" for none.
func chosenServer(cmd *cobra.Command, kept login) (string, error) {
	server := strings.TrimRight(cmp.Or(option(cmd, "server"), kept.Server), "/")
	if u, err := url.Parse(server); server != "" && (err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https") {
		return "", misuse("%q is no address of a server, as in: --server http://127.0.0.1:8080", server)
	}
	return server, nil
}

func option(cmd *cobra.Command, name string) string {
	v, err := cmd.Flags().GetString(name)
	if err != nil {
		return ""
	}
	return v
}

// describe words an error for the terminal: every mistake with its place, and
// what to do where the server could not be asked or did not let the command in.
func describe(cmd *cobra.Command, err error) string {
	text := err.Error()
	var refused *client.Error
	var away *client.UnreachableError
	switch {
	case errors.As(err, &away):
		return text + "\nis the server running? start it with: cloudops serve, or name another one with --server"
	case !errors.As(err, &refused):
		return text
	}
	text = strings.Replace(text, refused.Error(), refused.Report(), 1)
	if errors.Is(err, engine.ErrUnauthorized) && cmd.Name() != "login" {
		text += "\n" + howToSignIn(cmd)
	}
	return text
}

// howToSignIn says what to do about a token that was refused.
func howToSignIn(cmd *cobra.Command) string {
	if token, _, err := environment("CLOUDOPS_TOKEN"); err == nil && token != "" {
		return "the token is that of CLOUDOPS_TOKEN; without it the one that cloudops login keeps is sent"
	}
	if server := option(cmd, "server"); server != "" {
		return "sign in with: cloudops login --server " + server
	}
	return "sign in with: cloudops login"
}

// inJSON reports whether a program will read the answer.
func inJSON(cmd *cobra.Command) bool { return option(cmd, "output") == "json" }

// checkOutput refuses forms of output that there are not.
func checkOutput(cmd *cobra.Command) error {
	if f := cmd.Flags().Lookup("output"); f != nil && f.Value.String() != "text" && f.Value.String() != "json" {
		return misuse("-o is text or json, not %q", f.Value)
	}
	return nil
}

// show prints v as JSON where that is asked for, else what text writes.
func show(cmd *cobra.Command, v any, text func(w io.Writer) error) error {
	if !inJSON(cmd) {
		return text(cmd.OutOrStdout())
	}
	enc := json.NewEncoder(cmd.OutOrStdout())
	enc.SetIndent("", "  ")
	return enc.Encode(v)
}

// told says on stderr what was done; for a program it shows v, which is what
// there is now.
func told(cmd *cobra.Command, v any, format string, args ...any) error {
	return show(cmd, v, func(io.Writer) error {
		_, err := fmt.Fprintf(cmd.ErrOrStderr(), format+"\n", args...)
		return err
	})
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

// terminal reports whether people sit before what is read or written.
func terminal(stream any) bool {
	if t, ok := stream.(*tame); ok {
		stream = t.to
	}
	f, ok := stream.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}

// paint colours text on a terminal, unless NO_COLOR is set.
func paint(w io.Writer, code, text string) string {
	if !terminal(w) || os.Getenv("NO_COLOR") != "" {
		return text
	}
	return "\x1b[" + code + "m" + text + "\x1b[0m"
}

// statusColour gives the colour of a run's or step's status. All have two
// digits, so that they take the same room in each row of a table.
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
		return "02"
	}
}

// askYes asks on the terminal, and takes anything but yes for no.
func askYes(cmd *cobra.Command, question string) bool {
	fmt.Fprintf(cmd.ErrOrStderr(), "%s [y/N] ", question)
	var answer string
	fmt.Fscanln(cmd.InOrStdin(), &answer)
	if !terminal(cmd.InOrStdin()) { // which would have shown the end of the line
		fmt.Fprintln(cmd.ErrOrStderr())
	}
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
