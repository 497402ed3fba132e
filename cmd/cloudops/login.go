package main

import (
	"bufio"
	"fmt"
	"os"
	"strings"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/cloudops-manager/cloudops/api/client"
	"github.com/cloudops-manager/cloudops/engine"
)

func newLogin() *cobra.Command {
	var username, passwordFile string
	cmd := &cobra.Command{
		Use:   "login",
		Short: "Sign in to a server, or again to the last one, and keep a token for the commands after",
		Args:  noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			kept, _ := readLogin() // what cannot be read is written anew
			server, err := chosenServer(cmd, kept)
			if err != nil {
				return err
			}
			if server == "" {
				return misuse("which server? as in: cloudops login --server http://127.0.0.1:8080")
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
	return cmd
}

func signIn(cmd *cobra.Command, server, username string, password engine.Secret) error {
	host, err := os.Hostname()
	if err != nil {
		host = "unknown host"
	}
	c := client.New(server, "")
	token, err := c.Login(cmd.Context(), username, password, "cloudops login on "+host)
	if err != nil {
		return err
	}
	if err := writeLogin(login{Server: server, Token: token.Reveal()}); err != nil {
		return err
	}
	_, err = fmt.Fprintf(cmd.ErrOrStderr(), "signed in to %s as %s\n", server, username)
	return err
}

// askPassword reads the password from a file, the terminal or a pipe; never
// from an argument, where every user of the machine could see it.
func askPassword(cmd *cobra.Command, file string) (engine.Secret, error) {
	if file != "" {
		b, err := os.ReadFile(file)
		return engine.Secret(strings.TrimRight(string(b), "\r\n")), err
	}
	if f, ok := cmd.InOrStdin().(*os.File); ok && terminal(f) {
		fmt.Fprint(cmd.ErrOrStderr(), "password: ")
		b, err := term.ReadPassword(int(f.Fd()))
		fmt.Fprintln(cmd.ErrOrStderr())
		return engine.Secret(b), err
	}
	line, err := bufio.NewReader(cmd.InOrStdin()).ReadString('\n')
	if err != nil && line == "" {
		return "", fmt.Errorf("no password on standard input: %w", err)
	}
	return engine.Secret(strings.TrimRight(line, "\r\n")), nil
}
