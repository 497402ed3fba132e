package main

import (
	"github.com/spf13/cobra"

	"github.com/cloudops-manager/cloudops/api/client"
	"github.com/cloudops-manager/cloudops/engine"
)

func newUser() *cobra.Command {
	cmd := &cobra.Command{Use: "user", Short: "Make users and change what they may do"}
	create := remote("create NAME", "Make a user; the password is asked for", exactly(1, "cloudops user create ada --role approver"), createUser)
	create.Flags().String("role", string(engine.RoleViewer), "viewer, operator, approver or admin")
	create.Flags().String("password-file", "", "file with the password (default: asked for)")
	role := remote("role NAME ROLE", "Give a user another role", exactly(2, "cloudops user role ada operator"), func(cmd *cobra.Command, c *client.Client, args []string) error {
		return c.UpdateUser(cmd.Context(), args[0], client.UpdateUser{Role: &args[1]})
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
	return c.CreateUser(cmd.Context(), client.CreateUser{Name: args[0], Role: option(cmd, "role"), Password: password.Reveal()})
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
		rows = append(rows, []string{u.Name, u.Role, state, since(u.CreatedAt)})
	}
	return show(cmd, users, table("NAME ROLE STATE AGE", rows))
}
