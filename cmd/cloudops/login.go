package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/cloudops-manager/cloudops/api/client"
	"github.com/cloudops-manager/cloudops/engine"
)

func newLogin() *cobra.Command {
	var username, passwordFile string
	var noBrowser bool
	cmd := &cobra.Command{
		Use:   "login",
		Short: "Sign in to a server, or again to the last one, and keep a token for the commands after",
		Long: `Sign in to a server, or again to the last one, and keep a token for the commands after.

On a terminal this opens a browser, in which you sign in as you always do and confirm
the code that is shown here; --no-browser prints where to go instead, for machines
that have none. With --username, --password-file, or a password on standard input, it
signs in with a name and password.`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			kept, _ := readLogin() // what cannot be read is written anew
			server, err := chosenServer(cmd, kept)
			if err != nil {
				return err
			}
			if server == "" {
				return misuse("which server? as in: cloudops login --server http://127.0.0.1:8080")
			}
			if noBrowser || asksBrowser(cmd) {
				return signInByBrowser(cmd, server, !noBrowser)
			}
			password, err := askPassword(cmd, passwordFile)
			if err != nil {
				return err
			}
			return signIn(cmd, server, username, password)
		},
	}
	cmd.Flags().StringVarP(&username, "username", "u", "admin", "name to sign in with")
	cmd.Flags().StringVar(&passwordFile, "password-file", "", "file with the password (default: asked for)")
	cmd.Flags().BoolVar(&noBrowser, "no-browser", false, "print an address and a code, for a browser on another machine")
	cmd.MarkFlagsMutuallyExclusive("no-browser", "username")
	cmd.MarkFlagsMutuallyExclusive("no-browser", "password-file")
	return cmd
}

// asksBrowser reports whether a person sits there who has given no name.
func asksBrowser(cmd *cobra.Command) bool {
	f, ok := cmd.InOrStdin().(*os.File)
	return ok && terminal(f) && !cmd.Flags().Changed("username") && !cmd.Flags().Changed("password-file")
}

func signIn(cmd *cobra.Command, server, username string, password engine.Secret) error {
	c, ask := client.New(server, ""), client.Login{Name: username, Password: password.Reveal(), Label: loginLabel()}
	token, err := c.SignIn(cmd.Context(), ask)
	var refused *client.Error
	if errors.As(err, &refused) && refused.Code == client.CodePasswordChange {
		fmt.Fprintln(cmd.ErrOrStderr(), "the password has to be changed first")
		if ask.NewPassword, err = askNewPassword(cmd); err != nil {
			return err
		}
		token, err = c.SignIn(cmd.Context(), ask)
	}
	if err != nil {
		return err
	}
	return keepToken(cmd, server, token)
}

// loginLabel is what the token of a sign-in is called.
func loginLabel() string {
	host, err := os.Hostname()
	if err != nil {
		host = "unknown host"
	}
	return "cloudops login on " + host
}

// keepToken keeps a token for the commands after, in place of the one before,
// which nobody needs any more.
func keepToken(cmd *cobra.Command, server string, token client.NewToken) error {
	before, _ := readLogin() // what cannot be read is written anew
	if err := writeLogin(login{Server: server, Token: token.Token}); err != nil {
		return err
	}
	if before.Token != "" {
		ctx, stop := context.WithTimeout(cmd.Context(), 5*time.Second)
		defer stop()
		// Where the server is away, or has ended it, it expires by itself.
		_ = client.New(before.Server, engine.Secret(before.Token)).Logout(ctx)
	}
	_, err := fmt.Fprintf(cmd.ErrOrStderr(), "signed in to %s as %s\n", server, token.User)
	return err
}

// askNewPassword asks for a password twice on a terminal, and reads it once elsewhere.
func askNewPassword(cmd *cobra.Command) (string, error) {
	first, err := promptPassword(cmd, "new password: ")
	if err != nil {
		return "", err
	}
	if f, ok := cmd.InOrStdin().(*os.File); ok && terminal(f) {
		again, err := promptPassword(cmd, "again: ")
		if err != nil {
			return "", err
		}
		if again != first {
			return "", errors.New("the new password was not repeated the same")
		}
	}
	return first.Reveal(), nil
}

func newLogout() *cobra.Command {
	return &cobra.Command{
		Use: "logout", Short: "Take back the token that cloudops login keeps, and forget it", Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			kept, err := readLogin() // and not CLOUDOPS_TOKEN, which somebody else may need
			if err != nil {
				return err
			}
			if kept.Token == "" {
				return misuse("nobody is signed in here; sign in with: cloudops login")
			}
			if err := client.New(kept.Server, engine.Secret(kept.Token)).Logout(cmd.Context()); err != nil && !errors.Is(err, engine.ErrUnauthorized) {
				return err
			}
			return forgetLogin()
		},
	}
}

// askPassword reads the password from a file, the terminal or a pipe; never
// from an argument, where every user of the machine could see it.
func askPassword(cmd *cobra.Command, file string) (engine.Secret, error) {
	if file != "" {
		b, err := os.ReadFile(file)
		return engine.Secret(strings.TrimRight(string(b), "\r\n")), err
	}
	return promptPassword(cmd, "password: ")
}

// promptPassword reads one password from the terminal or a line of a pipe.
func promptPassword(cmd *cobra.Command, prompt string) (engine.Secret, error) {
	if f, ok := cmd.InOrStdin().(*os.File); ok && terminal(f) {
		fmt.Fprint(cmd.ErrOrStderr(), prompt)
		b, err := term.ReadPassword(int(f.Fd()))
		fmt.Fprintln(cmd.ErrOrStderr())
		return engine.Secret(b), err
	}
	line, err := readLine(cmd.InOrStdin())
	if err != nil && line == "" {
		return "", fmt.Errorf("no password on standard input: %w", err)
	}
	return engine.Secret(strings.TrimRight(line, "\r\n")), nil
}

// readLine reads no more than one line: the next one may be asked for, too.
func readLine(r io.Reader) (string, error) {
	var line []byte
	for b := []byte{0}; ; {
		n, err := r.Read(b)
		if n == 1 {
			line = append(line, b[0])
		}
		if err != nil || n == 1 && b[0] == '\n' {
			return string(line), err
		}
	}
}
