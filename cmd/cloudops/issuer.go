package main

import (
	"errors"
	"fmt"
	"net/url"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/cloudops-manager/cloudops/api/client"
)

func newIssuer() *cobra.Command {
	cmd := &cobra.Command{Use: "issuer", Short: "Vouch to clouds for steps, by workload identity"}
	rotate := remote("rotate", "Make a new key to sign tokens with", noArgs, func(cmd *cobra.Command, c *client.Client, _ []string) error {
		withdraw, err := cmd.Flags().GetBool("withdraw")
		if err != nil {
			return err
		}
		issuer, err := c.RotateIssuer(cmd.Context(), withdraw)
		if err != nil {
			return err
		}
		return showIssuer(cmd, issuer)
	})
	rotate.Flags().Bool("withdraw", false, "for a key that others may have: the new one signs at once, and those before it are withdrawn")
	cmd.AddCommand(rotate, remote("show", "Show the issuer that trust policies name, and its keys", noArgs, func(cmd *cobra.Command, c *client.Client, _ []string) error {
		issuer, err := c.Issuer(cmd.Context())
		if err != nil {
			return err
		}
		return showIssuer(cmd, issuer)
	}))
	return cmd
}

func showIssuer(cmd *cobra.Command, i client.Issuer) error {
	var rows [][]string
	for _, k := range i.Keys {
		state := "published for tokens that it signed"
		switch {
		case k.Signing:
			state = "signs"
		case k.SignsAt.After(time.Now()):
			state = "signs from " + k.SignsAt.Format(time.RFC3339)
		}
		rows = append(rows, []string{k.ID, state})
	}
	fmt.Fprintf(cmd.ErrOrStderr(), "Issuer: %s\n", i.URL)
	if !i.Reachable {
		fmt.Fprintln(cmd.ErrOrStderr(), "Clouds accept HTTPS only: start the server with --issuer-url https://...")
	}
	return show(cmd, i, table("KEY STATE", rows))
}

// checkIssuer fills in the issuer's address, which stands in tokens and in trust policies.
func (o *serverOptions) checkIssuer() error {
	if o.issuerURL == "" {
		return nil // that of the API, once it is known
	}
	o.issuerURL = strings.TrimRight(o.issuerURL, "/")
	u, err := url.Parse(o.issuerURL)
	if err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" || u.RawQuery != "" || u.Fragment != "" || u.User != nil {
		return errors.New("--issuer-url is an address such as https://cloudops.example.com")
	}
	return nil
}

// issuer is the address in use.
func (o *serverOptions) issuer() string {
	if o.issuerURL != "" {
		return o.issuerURL
	}
	return strings.TrimRight(o.url, "/")
}
