package main

import (
	"strings"

	"github.com/spf13/cobra"

	"github.com/cloudops-manager/cloudops/api/client"
	"github.com/cloudops-manager/cloudops/engine"
)

func newUser() *cobra.Command {
	cmd := &cobra.Command{Use: "user", Short: "Make users and change what they may do"}
	create := remote("create NAME", "Make a user; the password is asked for", exactly(1, "cloudops user create ada --role approver"), createUser)
	create.Flags().StringSlice("role", []string{string(engine.RoleViewer)}, "roles in the whole installation, such as operator; - for none, to give some in projects")
	create.Flags().String("password-file", "", "file with the password (default: asked for)")
	role := remote("role NAME ROLE...", "Give a user other roles in the whole installation; - for none", atLeast(2, "cloudops user role ada operator"), func(cmd *cobra.Command, c *client.Client, args []string) error {
		roles := givenRoles(args[1:])
		return c.UpdateUser(cmd.Context(), args[0], client.UpdateUser{Roles: &roles})
	})
	cmd.AddCommand(create, role,
		remote("list", "List users", noArgs, listUsers),
		remote("disable NAME", "Lock a user out", exactly(1, "cloudops user disable ada"), setDisabled(true)),
		remote("enable NAME", "Let a user in again", exactly(1, "cloudops user enable ada"), setDisabled(false)))
	return cmd
}

func createUser(cmd *cobra.Command, c *client.Client, args []string) error {
	password, err := askPassword(cmd, option(cmd, "password-file"))
	if err != nil {
		return err
	}
	roles, err := cmd.Flags().GetStringSlice("role")
	if err != nil {
		return err
	}
	return c.CreateUser(cmd.Context(), client.CreateUser{Name: args[0], Roles: givenRoles(roles), Password: password.Reveal()})
}

// givenRoles are the roles that are named; a dash stands for none.
func givenRoles(names []string) []string {
	if len(names) == 1 && names[0] == "-" {
		return []string{}
	}
	return names
}

func setDisabled(disabled bool) func(*cobra.Command, *client.Client, []string) error {
	return func(cmd *cobra.Command, c *client.Client, args []string) error {
		return c.UpdateUser(cmd.Context(), args[0], client.UpdateUser{Disabled: &disabled})
	}
}

func listUsers(cmd *cobra.Command, c *client.Client, _ []string) error {
	users, err := c.Users(cmd.Context())
	if err != nil {
		return err
	}
	var rows [][]string
	for _, u := range users {
		state := "active"
		if u.Disabled {
			state = "disabled"
		}
		rows = append(rows, []string{u.Name, dashed(strings.Join(u.Roles, ",")), state, since(u.CreatedAt)})
	}
	return show(cmd, users, table("NAME ROLES STATE AGE", rows))
}
