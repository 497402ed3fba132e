package main

import (
	"cmp"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"github.com/cloudops-manager/cloudops/api/client"
)

func newAccess() *cobra.Command {
	cmd := &cobra.Command{Use: "access", Short: "Give roles to users and teams, in the whole installation, a project or for a stack"}
	list := remote("list", "List who has which role where", noArgs, listBindings)
	list.Flags().String("project", "", "of this project only")
	cmd.AddCommand(list,
		scopedTo(remote("grant SUBJECT ROLE", "Give a role", exactly(2, "cloudops access grant team:web operator --scope project:payments"),
			func(cmd *cobra.Command, c *client.Client, args []string) error {
				return c.Bind(cmd.Context(), client.Binding{Subject: subject(args[0]), Role: args[1], Scope: option(cmd, "scope")})
			})),
		scopedTo(remote("revoke SUBJECT ROLE", "Take a role back", exactly(2, "cloudops access revoke user:ada operator --scope stack:payments.web"),
			func(cmd *cobra.Command, c *client.Client, args []string) error {
				return c.Unbind(cmd.Context(), client.Binding{Subject: subject(args[0]), Role: args[1], Scope: option(cmd, "scope")})
			})))
	return cmd
}

func scopedTo(cmd *cobra.Command) *cobra.Command {
	cmd.Flags().String("scope", "installation", "where: installation, project:NAME or stack:NAME")
	return cmd
}

// subject is who is meant: a user, where nothing else is said.
func subject(name string) string {
	if strings.Contains(name, ":") {
		return name
	}
	return "user:" + name
}

func listBindings(cmd *cobra.Command, c *client.Client, _ []string) error {
	all, err := c.Bindings(cmd.Context(), option(cmd, "project"))
	if err != nil {
		return err
	}
	return show(cmd, all, bindingTable(all))
}

func newWhoami() *cobra.Command {
	return remote("whoami", "Say who is signed in, and what that may do where", noArgs, func(cmd *cobra.Command, c *client.Client, _ []string) error {
		who, err := c.Whoami(cmd.Context())
		if err != nil {
			return err
		}
		return show(cmd, who, func(w io.Writer) error {
			if _, err := fmt.Fprintf(w, "%s (%s), teams: %s\n", who.Name, who.Kind, dashed(strings.Join(who.Teams, ", "))); err != nil {
				return err
			}
			return bindingTable(who.Bindings)(w)
		})
	})
}

func bindingTable(all []client.Binding) func(io.Writer) error {
	var rows [][]string
	for _, b := range all {
		rows = append(rows, []string{b.Subject, b.Role, b.Scope})
	}
	return table("SUBJECT ROLE SCOPE", rows)
}

// dashed shows a text, or a dash for nothing.
func dashed(text string) string { return cmp.Or(text, "-") }
